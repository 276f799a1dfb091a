from pathlib import Path

import pytest

from monostep.errors import SettingError
from monostep.runner.inputs import Job
from monostep.runner.plan import plan
from monostep.runner.settings import Settings

JOB = Job(source=Path("x/a.png"), name="sub/a.png", stem="sub/a")


def made(models, **settings):
    return plan(models, Settings(output=Path("out"), **settings))


def test_what_decides_the_values_is_all_in_made_by(models):
    normals = {"normals": models["normals"]}
    before = made(normals, asked={"ensemble": 3}).made_by["normals"]
    for name, value in {
        "resolution": 32,
        "fit": "reference",
        "steps": 2,
        "ensemble": 2,
        "spacing": "leading",
        "noise": "gaussian",
        "seed": 3,
        "last": "previous",
        "merge": "mean",
    }.items():
        after = made(normals, asked={"ensemble": 3, name: value}).made_by["normals"]
        changed = {name, "merge"} if name == "fit" else {name}  # each fit has its own default
        assert {key for key in after if after[key] != before[key]} == changed
    assert before["weights_sha256"] == models["normals"].card.tensor_hash
    assert before["model"] == "tiny-normals"
    assert before["dtype"] == "float32"
    assert before["prompt_tokens"] == 2


def test_the_frame_decides_normals_alone(models):
    one, other = (made(models, frame=frame).made_by for frame in ("opencv", "opengl"))
    assert one["depth"] == other["depth"]
    assert (one["normals"]["frame"], other["normals"]["frame"]) == ("opencv", "opengl")


def test_only_an_ensemble_has_uncertainties(models):
    def names(**asked):
        planned = made(models, formats=("npy",), asked={"noise": "gaussian", **asked})
        return [part.name for part in planned.parts(JOB, "depth")]

    assert names() == ["a.depth.npy"]
    assert names(ensemble=2) == ["a.depth.npy", "a.depth.uncertainty.npy"]


def test_paths_lie_below_the_output(models):
    planned = made(models)
    assert planned.folder(JOB) == Path("out/sub")
    assert planned.record(JOB) == Path("out/sub/a.json")


def test_the_model_that_lacks_a_setting_is_named(models):
    with pytest.raises(SettingError, match="tiny-normals: merge 'joint'"):
        made(models, asked={"merge": "joint", "ensemble": 2})
