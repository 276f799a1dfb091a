import pytest
import tiny_models

from monostep.errors import SettingError
from monostep.runner import models


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {
        "depth": str(tiny_models.depth_folder(root / "d")),
        "normals": str(tiny_models.normals_folder(root / "n")),
        "other": str(tiny_models.depth_folder(root / "o", seed=5)),
    }


def load(*names, task=None, **asked):
    return models.load(names, task=task, device="cpu", dtype="auto", asked=asked)


def test_models_come_by_task(folders):
    loaded = load(folders["normals"], folders["depth"], folders["depth"])
    assert {task: model.card.name for task, model in loaded.items()} == {
        "depth": "tiny-depth",
        "normals": "tiny-normals",
    }


def test_two_models_of_one_task_are_named(folders):
    with pytest.raises(SettingError, match="both predict depth") as caught:
        load(folders["depth"], folders["other"])
    assert folders["depth"] in str(caught.value)
    assert folders["other"] in str(caught.value)


def test_a_model_of_another_task_is_refused(folders):
    with pytest.raises(SettingError, match="does not predict normals"):
        load(folders["depth"], task="normals")
    with pytest.raises(SettingError, match="choose depth or normals"):
        load(folders["depth"], task="colour")


def test_settings_that_the_model_lacks_are_refused(folders):
    has = {"steps": 1, "ensemble": 1, "spacing": "trailing", "noise": "zeros", "fit": "pad"}
    load(folders["depth"], **has)
    with pytest.raises(SettingError, match="steps 4"):
        load(folders["depth"], **{**has, "steps": 4})
