"""The other program says the same, so both can be measured against each other."""

import dataclasses
import warnings

import numpy as np
import pytest
import torch

from monostep.benchmark import diffusers_program, own_program
from monostep.benchmark.cases import Case, pictures
from monostep.errors import SettingError

CPU = torch.device("cpu")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def both(weights, normals_weights):
    """Ours and theirs, for depth and for normals."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        diffusers_program.libraries()
        return {
            task: [side.load(each, "fp32", CPU) for side in (own_program, diffusers_program)]
            for task, each in (("depth", weights), ("normals", normals_weights))
        }


@pytest.mark.parametrize("task", ["depth", "normals"])
@pytest.mark.parametrize(
    "case",
    [
        Case(size=(32, 48)),
        Case(size=(32, 48), steps=3),
        Case(size=(40, 24), steps=2, noise="gaussian", batch=2),
    ],
    ids=lambda case: f"{case.name}, {case.steps}, {case.noise}",
)
@pytest.mark.slow
def test_it_says_the_same_as_ours(both, task, case):
    ours, theirs = (program.compare(pictures(case), case) for program in both[task])
    assert theirs.std() > 0.05
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)


def test_a_batch_goes_through_together_and_an_ensemble_one_by_one(both):
    program, seen = both["depth"][1], []

    def noted(work):
        def call(sample, *args, **kwargs):
            seen.append(len(sample))
            return work(sample, *args, **kwargs)

        return call

    next(part for part in program.timed if part.stage == "unet").replace(noted)
    case = Case(size=(24, 32), batch=3)
    assert program.predict(pictures(case), case).shape == (3, 1, 24, 32)
    assert seen == [3]
    case = Case(size=(24, 32), members=2, steps=2, noise="gaussian")
    program.predict(pictures(case), case)
    assert seen[1:] == [1] * 4


def test_weights_have_the_precision_and_the_layout_asked_for(weights):
    program = diffusers_program.load(weights, "bf16", CPU)
    made = program.predict(pictures(Case(size=(24, 32))), Case(size=(24, 32)))
    assert (program.dtype, made.dtype) == ("bf16", torch.bfloat16)
    unet = next(part for part in program.timed if part.stage == "unet").owner
    assert {weight.dtype for weight in unet.parameters()} == {torch.bfloat16}
    assert unet.conv_in.weight.is_contiguous(memory_format=torch.channels_last)


def test_a_noise_that_diffusers_does_not_have_is_refused(weights):
    card = dataclasses.replace(weights.find().card, noise="pyramid")
    with pytest.raises(SettingError, match="zeros and gaussian"):
        diffusers_program.check(card)
    diffusers_program.check(weights.find().card)
