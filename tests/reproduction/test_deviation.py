import dataclasses

import micro_models
import numpy as np
import pytest

from monostep import loading
from monostep.errors import SettingError
from monostep.reproduction import deviation, figures, sampling, scenes
from monostep.reproduction.budget import BUDGETS
from monostep.reproduction.trials import sampled

LAST = 8  # of steps, where the study goes 50
BUDGET = dataclasses.replace(BUDGETS["quick"], images=2, height=24, width=32)


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(deviation, "PATH", LAST)
    monkeypatch.setattr(deviation, "STEPS", (1, 2, 5, LAST))


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    path = micro_models.write(tmp_path_factory.mktemp("model") / "model")
    opened = sampling.opened(path, scenes.held_out(BUDGET))
    card = dataclasses.replace(opened.card, noise="gaussian", family="diffusion")
    return path, dataclasses.replace(opened, card=card)


def _first(subject):
    return dataclasses.replace(
        subject,
        scenes=subject.scenes.first(1),
        latents=subject.latents[:1],
        domain=subject.domain[:1],
    )


def test_of_two_members_it_is_their_difference(subject):
    path, subject = subject[0], _first(subject[1])
    found = deviation.deviation(subject, members=2)
    how = subject.inference(sampled("leading", LAST, 2))
    second = [[step[1].tensor for step in steps] for steps in subject.members(how, deviation.STEPS)]
    predictor = loading.load(path, device="cpu", dtype="fp32")
    for scene, case in enumerate(subject.scenes.cases):
        first = predictor.trajectory(case.image, how)
        for place, step in enumerate(deviation.STEPS):
            apart = (first[step - 1][1].tensor - second[scene][place]).abs() / 2**0.5
            np.testing.assert_allclose(found["leading"][scene, place], apart, atol=1e-4)


def test_arrays_are_of_every_scene_step_and_pixel_and_are_drawn(subject, tmp_path):
    found = deviation.deviation(subject[1], members=3)
    assert found["steps"].tolist() == [1, 2, 5, LAST]
    assert found["image"].shape == (2, 24, 32, 3) and found["image"].dtype == np.uint8
    for spacing in ("trailing", "leading"):
        assert found[spacing].shape == (2, 4, 24, 32)
        assert (found[spacing] >= 0).all() and (found[spacing].mean(axis=(2, 3)) > 0).all()
    np.savez(tmp_path / "found.npz", **found)
    assert figures.deviations(tmp_path / "found.npz").axes


def test_equal_members_do_not_deviate(subject):
    opened = subject[1]
    equal = dataclasses.replace(opened, card=dataclasses.replace(opened.card, noise="zeros"))
    found = deviation.deviation(_first(equal), members=2)
    assert found["trailing"].max() < 1e-5


def test_normals_are_refused(subject):
    opened = subject[1]
    card = dataclasses.replace(
        opened.card, task="normals", quantity=None, invariance=None, frame="opencv"
    )
    with pytest.raises(SettingError, match="choose a model of depth"):
        deviation.deviation(dataclasses.replace(opened, card=card))
