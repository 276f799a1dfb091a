import copy

import pytest
import torch

import monostep
from monostep.benchmark import own_program
from monostep.benchmark.cases import Case, pictures
from monostep.device import DTYPES

CPU = torch.device("cpu")
CASE = Case(size=(32, 48), batch=2)
IMAGES = pictures(CASE)


@pytest.fixture(scope="module")
def predictor(weights):
    return monostep.load(weights.source, device="cpu", dtype="fp32")


@pytest.mark.parametrize("load", [own_program.load, own_program.load_unfolded])
def test_it_predicts_what_monostep_predicts(weights, predictor, load):
    program = load(weights, "fp32", CPU)
    results = program.predict(IMAGES, CASE)
    expected = predictor(IMAGES, resolution=0)
    assert (program.dtype, len(results)) == ("fp32", 2)
    for one, other in zip(results, expected, strict=True):
        torch.testing.assert_close(one.tensor, other.tensor, rtol=0, atol=1e-5)


def test_the_map_to_compare_is_of_the_previous_sample(predictor):
    compared = own_program.program(predictor).compare(IMAGES, CASE)
    previous = predictor(IMAGES[0], resolution=0, last="previous")
    assert compared.shape == (32, 48, 1)
    torch.testing.assert_close(
        torch.from_numpy(compared[..., 0]), previous.tensor, rtol=0, atol=1e-5
    )


def test_stages_are_called_in_a_prediction_and_can_be_replaced(predictor):
    called, program = [], own_program.program(predictor)

    def noted(stage, work):
        def call(*args, **kwargs):
            called.append(stage)
            return work(*args, **kwargs)

        return call

    for part in program.timed:
        part.replace(lambda work, stage=part.stage: noted(stage, work))
    program.predict(IMAGES, CASE)
    for part in program.timed:
        delattr(part.owner, part.method)
    assert called == ["encode", "unet", "decode"]
    program.predict(IMAGES, CASE)
    assert len(called) == 3


def test_it_says_which_precision_was_chosen(predictor):
    mine = copy.copy(predictor)
    for name, dtype in DTYPES.items():
        mine.dtype = dtype
        assert own_program.program(mine).dtype == name


def test_normals_are_compared_in_the_networks_frame_clipped_as_diffusers_does(normals_weights):
    predictor = monostep.load(normals_weights.source, device="cpu", dtype="fp32")
    compared = own_program.program(predictor).compare(IMAGES, CASE)
    assert compared.shape == (32, 48, 3)
    assert compared[..., 2].mean() > 0.5, "opengl: towards the camera"
    comparable = own_program.as_diffusers_returns_it(predictor)
    assert (predictor.card.family, comparable.card.family) == ("end-to-end", "diffusion")
    assert comparable.network is predictor.network
