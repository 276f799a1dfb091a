import pytest
import torch

import monostep
from monostep.benchmark.cases import Case, pictures
from monostep.benchmark.joint_program import JOINT, KINDS, TWO, UNFOLDED
from monostep.benchmark.stopwatch import Stopwatch
from monostep.benchmark.subjects import Subject

CPU = torch.device("cpu")
CASE = Case(size=(32, 48))


@pytest.fixture(scope="module")
def programs(joint_planned):
    subjects = [Subject(kind=kind, dtype="fp32") for kind in KINDS]
    return {each.kind: joint_planned.assignment(each).program(CPU) for each in subjects}


@pytest.mark.slow
def test_two_models_say_what_each_says_alone(programs, joint_planned):
    (depth,), (normals,) = programs[TWO].predict(pictures(CASE), CASE)
    for made, source in zip((depth, normals), joint_planned.alone, strict=True):
        alone = monostep.load(source.source, device="cpu", dtype="fp32")
        (expected,) = alone(pictures(CASE), resolution=0)
        torch.testing.assert_close(made.tensor, expected.tensor)


def test_the_joint_model_says_the_same_folded_and_not(programs, joint_planned):
    (made,) = programs[JOINT].predict(pictures(CASE), CASE)
    (unfolded,) = programs[UNFOLDED].predict(pictures(CASE), CASE)
    torch.testing.assert_close(made.depth.tensor, unfolded.depth.tensor, rtol=0, atol=1e-4)
    torch.testing.assert_close(made.normals.tensor, unfolded.normals.tensor, rtol=0, atol=1e-4)
    compared = programs[JOINT].compare(pictures(CASE), CASE)
    assert compared.shape == (32, 48, 4)
    expected = monostep.load(joint_planned.weights.source, device="cpu", dtype="fp32")(
        pictures(CASE)[0], resolution=0, last="previous"
    )
    said = torch.from_numpy(compared)
    torch.testing.assert_close(said[..., 0], expected.depth.tensor, rtol=0, atol=1e-5)
    normals = expected.normals.tensor.permute(1, 2, 0)
    torch.testing.assert_close(said[..., 1:], normals, rtol=0, atol=1e-4)


def test_stages_of_two_models_are_both_counted_and_the_image_encoder_is_encoding(programs):
    counts = {
        kind: Stopwatch(program.timed, CPU).multiply_adds(
            lambda program=program: program.predict(pictures(CASE), CASE)
        )
        for kind, program in programs.items()
    }
    for each in counts.values():
        parts = each["encode"] + each["unet"] + each["decode"]
        assert 0.99 * each["whole"] <= parts <= each["whole"]
    # The pictures are encoded once instead of twice, and looked at by the image encoder.
    assert counts[JOINT]["encode"] < counts[TWO]["encode"]
    assert counts[JOINT]["whole"] < counts[UNFOLDED]["whole"]


def test_weights_are_those_of_all_networks(programs):
    assert programs[JOINT].weight_bytes < programs[TWO].weight_bytes
    assert programs[JOINT].dtype == programs[TWO].dtype == "fp32"
