from dataclasses import replace
from pathlib import Path

import pytest
import torch
from many_files import picture

from monostep.errors import InputError
from monostep.geometry.depth import Depth
from monostep.geometry.normals import Normals
from monostep.predictor import Predictor
from monostep.runner import outputs
from monostep.runner.inputs import Job
from monostep.runner.looks import Looker
from monostep.runner.plan import plan
from monostep.runner.settings import Settings

pytestmark = pytest.mark.usefixtures("here")


def _looker(model: Predictor, **asked) -> Looker:
    task = model.card.task
    planned = plan({task: model}, Settings(output=Path("out"), asked=asked))
    return Looker(predictor=model, inference=planned.inferences[task], plan=planned, scale=0.5)


def _picture(size=(24, 16)):
    path = picture("photos/a.png", size)
    return outputs.read(Job(source=path, name="a.png", stem="a"))


def _mirrored(shown):
    pixels = shown.photo.pixels[:, ::-1].copy()
    return replace(shown, photo=replace(shown.photo, pixels=pixels))


@pytest.fixture
def asked_for(monkeypatch):
    """Replace what a model says by what is asked of it: returns the resolutions."""
    resolutions = []

    def say(result):
        def predict(_, pictures, inference, **__):
            resolutions.extend([inference.resolution] * len(pictures))
            return [result(each) for each in pictures]

        monkeypatch.setattr(Predictor, "predict", predict)
        return resolutions

    return say


def test_looks_at_the_mirror_and_at_the_smaller_resolution(models, asked_for):
    resolutions = asked_for(lambda shown: Depth(tensor=shown[0]))
    shown = _picture()
    looks = _looker(models["depth"]).look(shown)
    assert resolutions == [48, 48, 24, 24]
    red = torch.from_numpy(shown.photo.pixels[..., 0] / 255).float()
    assert looks.shape == (4, 16, 24)
    torch.testing.assert_close(looks, red.expand(4, 16, 24))  # equivariant: the same four times


def test_a_pictures_own_resolution_is_scaled_for_each(models, asked_for):
    resolutions = asked_for(lambda shown: Depth(tensor=shown[0]))
    looker = _looker(models["depth"], resolution=0)
    looker.look(_picture((24, 16)))
    looker.look(_picture((30, 40)))
    assert resolutions == [0, 0, 12, 12, 0, 0, 20, 20]


def test_a_mirror_turns_the_x_axis_of_normals_round(models, asked_for):
    def lean(shown):  # to where it is brighter, in opengl's frame, whose x is opencv's
        slope = torch.diff(shown[0], dim=1, append=shown[0, :, -1:])
        slope[:, -1] = 0
        ones = torch.ones_like(slope)
        return Normals(tensor=torch.stack([slope.sign(), ones, ones]), frame="opengl")

    asked_for(lean)
    looks = _looker(models["normals"]).look(_picture())
    assert looks.shape == (4, 3, 16, 24)
    torch.testing.assert_close(looks[:, 1:], -torch.ones(4, 2, 16, 24))
    # Mirrored, the slope belongs to the neighbour: one pixel further.
    torch.testing.assert_close(looks[1, 0, :, 1:], looks[0, 0, :, :-1])


@pytest.mark.parametrize("task", ["depth", "normals"])
def test_the_looks_at_a_mirrored_picture_are_the_mirrored_looks(models, task):
    looker, shown = _looker(models[task]), _picture()
    straight, turned = looker.look(shown), looker.look(_mirrored(shown))
    expected = straight[[1, 0, 3, 2]].flip(-1)
    if task == "normals":
        expected = expected * torch.tensor([-1, 1, 1])[:, None, None]
    torch.testing.assert_close(turned, expected, atol=1e-5, rtol=0)
    assert (straight[0] - straight[1]).abs().max() > 1e-3  # random weights are not equivariant


def test_a_model_without_an_answer_says_so(models, monkeypatch):
    def fail(*_, **__):
        raise InputError("the network's output is not finite; try dtype fp32")

    monkeypatch.setattr(Predictor, "predict", fail)
    with pytest.raises(InputError, match=r"photos/a\.png: the network's output is not finite"):
        _looker(models["depth"]).look(_picture())
