import json

import pytest
import tiny_models

from monostep.errors import SettingError
from monostep.runner import models, record
from monostep.runner.models import Loading


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {
        "depth": str(tiny_models.depth_folder(root / "d")),
        "normals": str(tiny_models.normals_folder(root / "n")),
        "other": str(tiny_models.depth_folder(root / "o", seed=5)),
    }


def load(*names, asked=(), **how):
    return models.load(names, Loading(**{"device": "cpu", **how}), dict(asked))


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


def test_a_task_that_is_none_or_not_the_models_is_refused(folders):
    with pytest.raises(SettingError, match="normals"):
        load(folders["depth"], task="normals")
    with pytest.raises(SettingError, match="choose depth or normals"):
        load(folders["depth"], task="colour")


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ({"asked": {"noise": "pink"}}, "tiny-depth: noise 'pink'"),
        ({"asked": {"merge": "mean"}}, "tiny-depth: merge 'mean'"),
        ({"device": "abacus"}, "abacus"),
        ({"dtype": "int8"}, "int8"),
    ],
)
def test_mistakes_show_before_any_weights_are_read(folders, monkeypatch, mistake, said):
    monkeypatch.setattr(models.opening, "load", lambda _: pytest.fail("weights were read"))
    with pytest.raises(SettingError, match=said):
        load(folders["depth"], **mistake)


def test_all_that_is_said_of_loading_is_passed_on(folders, monkeypatch):
    original, seen = models.opening.find, []

    def find(name, **how):
        seen.append(how)
        return original(name)

    monkeypatch.setattr(models.opening, "find", find)
    how = {
        "task": "depth",
        "frame": "dsine",
        "revision": "main",
        "variant": "fp16",
        "offline": True,
        "prompt_tokens": 77,
        "attention": "separate",
        "unet": "unet_v2",
    }
    load(folders["depth"], **how)
    assert seen == [how]


def test_weights_of_a_folder_without_a_hash_are_told_apart(tmp_path):
    def source(folder):
        return load(str(folder))["depth"].card.source

    def without_hash(folder):
        card = json.loads((folder / "card.json").read_text())
        (folder / "card.json").write_text(json.dumps({**card, "tensor_hash": None}))
        return folder

    one = without_hash(tiny_models.depth_folder(tmp_path / "a/model", seed=1))
    same = without_hash(tiny_models.depth_folder(tmp_path / "b/model", seed=1))
    other = without_hash(tiny_models.depth_folder(tmp_path / "c/model", seed=2))
    assert source(one) == source(same)
    assert source(one) != source(other)
    for name, file in source(one)["files"].items():
        assert file["sha256"] == record.sha256(one / name)
