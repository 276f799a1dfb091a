"""Against `Predictor`, which has another form of the network and sees one image at a time."""

import dataclasses

import micro_models
import pytest
import torch

from monostep import loading
from monostep.errors import CheckpointError, SettingError
from monostep.reproduction import sampling, scenes
from monostep.reproduction.budget import BUDGETS
from monostep.reproduction.trials import ONCE, Way
from monostep.results import map_of

BUDGET = dataclasses.replace(BUDGETS["quick"], images=3, height=24, width=32)
MODELS = {
    "depth": micro_models.write,
    "normals": lambda path: micro_models.write(path, "normals"),
    "previous": lambda path: micro_models.write(path, "diffusion-normals"),
    "joint": micro_models.write_joint,
    "joint-words": lambda path: micro_models.write_joint(path, words=True),
}
TOLERANCE = 5e-4  # of normals that were short before they were made unit vectors
WALK = Way(name="walk", asked={"steps": 3, "noise": "gaussian", "spacing": "leading"})


@pytest.fixture(scope="module")
def held_out():
    return scenes.held_out(BUDGET)


def _predicted(path, way, held_out):
    predictor = loading.load(path, device="cpu", dtype="fp32")
    how = predictor.inference(**way.asked)
    for case in held_out.cases:
        own = dataclasses.replace(how, domain=case.domain if how.domain else None)
        yield predictor, case.image, own


@pytest.mark.parametrize(
    ("model", "way"),
    [(model, ONCE) for model in MODELS] + [("previous", WALK), ("joint", WALK)],
    ids=lambda each: getattr(each, "name", each),
)
def test_maps_are_those_of_the_predictor(tmp_path, held_out, model, way):
    path = MODELS[model](tmp_path / "model")
    subject = sampling.opened(path, held_out)
    results = list(subject.results(subject.inference(way)))
    assert len(results) == 3
    for result, (predictor, image, how) in zip(
        results, _predicted(path, way, held_out), strict=True
    ):
        (expected,) = predictor.predict([image], how)
        for kind in subject.card.maps:
            own, right = map_of(result, kind).tensor, map_of(expected, kind).tensor
            assert right.std() > 1e-3
            torch.testing.assert_close(own, right, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("model", ["depth", "joint"])
def test_what_is_known_after_each_step_is_the_trajectory(tmp_path, held_out, model):
    path = MODELS[model](tmp_path / "model")
    subject = sampling.opened(path, held_out)
    found = list(subject.steps(subject.inference(WALK)))
    for results, (predictor, image, how) in zip(
        found, _predicted(path, WALK, held_out), strict=True
    ):
        expected = [result for _, result in predictor.trajectory(image, how)]
        assert len(results) == len(expected) == 3
        for own, right in zip(results, expected, strict=True):
            for kind in subject.card.maps:
                a, b = map_of(own, kind).tensor, map_of(right, kind).tensor
                torch.testing.assert_close(a, b, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("model", ["depth", "joint"])
def test_an_ensemble_is_made_of_its_members(tmp_path, held_out, model):
    subject = sampling.opened(MODELS[model](tmp_path / "model"), held_out)
    how = subject.inference(Way(name="both", asked={**WALK.asked, "ensemble": 2}))
    alone = list(subject.steps(subject.inference(WALK)))
    for scene, steps in enumerate(subject.members(how, (1, 3))):
        assert [len(members) for members in steps] == [2, 2]
        for step, members in zip((0, 2), steps, strict=True):
            for kind in subject.card.maps:
                first, second = (map_of(member, kind).tensor for member in members)
                expected = map_of(alone[scene][step], kind).tensor
                torch.testing.assert_close(first, expected, rtol=0, atol=TOLERANCE)
                assert (first - second).abs().max() > 1e-3


def test_batches_change_nothing(tmp_path, held_out, monkeypatch):
    subject = sampling.opened(MODELS["joint"](tmp_path / "model"), held_out)
    how = subject.inference(WALK)
    together = list(subject.results(how))
    monkeypatch.setattr(sampling, "CELLS", 1)
    for one, other in zip(together, subject.results(how), strict=True):
        torch.testing.assert_close(one.depth.tensor, other.depth.tensor, rtol=0, atol=TOLERANCE)
        torch.testing.assert_close(one.normals.tensor, other.normals.tensor, rtol=0, atol=TOLERANCE)


def test_ways_cannot_change_what_the_model_looks_at(tmp_path, held_out):
    subject = sampling.opened(MODELS["depth"](tmp_path / "model"), held_out)
    with pytest.raises(SettingError, match="leave them out"):
        subject.inference(Way(name="large", asked={"resolution": 48}))
    with pytest.raises(SettingError, match="spacing"):
        subject.inference(Way(name="lcm-4", asked={"spacing": "lcm"}))


def test_a_folder_without_a_model_is_refused(tmp_path, held_out):
    with pytest.raises(CheckpointError):
        sampling.opened(tmp_path, held_out)
