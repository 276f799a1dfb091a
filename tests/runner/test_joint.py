"""A model of depth and normals together, through the runner: it stands behind both tasks."""

import json
from pathlib import Path

import joint_models
import numpy as np
import pytest
import tiny_models
from labelled import go as label
from many_files import files, go, picture, statuses

from monostep.data import manifest
from monostep.errors import SettingError
from monostep.pictures import as_tensor
from monostep.runner import models
from monostep.runner.models import Loading
from monostep.runner.plan import plan
from monostep.runner.run import Summary
from monostep.runner.settings import Settings


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(joint_models.geometry_folder(tmp_path_factory.mktemp("models") / "joint"))


def load(*names, asked=(), **how):
    return models.load(names, Loading(**{"device": "cpu", "dtype": "fp32", **how}), dict(asked))


@pytest.fixture(scope="module")
def joint(folder):
    return load(folder)


class TestModels:
    def test_one_model_serves_both_tasks_or_the_one_asked_for(self, joint, folder):
        assert list(joint) == ["depth", "normals"]
        assert joint["depth"] is joint["normals"]
        alone = load(folder, task="normals", max_memory=10**10)
        assert list(alone) == ["normals"]
        assert alone["normals"].max_memory == 10**10

    def test_another_model_of_one_of_its_tasks_is_one_too_many(self, folder, tmp_path):
        other = str(tiny_models.normals_folder(tmp_path / "n"))
        with pytest.raises(SettingError, match="both predict normals") as caught:
            load(folder, other)
        assert folder in str(caught.value)
        assert other in str(caught.value)

    def test_a_setting_that_a_model_lacks_is_named_once(self, folder, tmp_path):
        other = str(tiny_models.depth_folder(tmp_path / "d"))
        with pytest.raises(SettingError, match="tiny-depth: domain 'object'") as caught:
            load(other, asked={"domain": "object"})
        assert "\n" not in str(caught.value)
        with pytest.raises(SettingError, match="tiny-geometry: domain 'sea': choose indoor"):
            load(folder, asked={"domain": "sea"})

    def test_attention_is_chosen_when_it_is_loaded_and_its_memory_counts_once(self, joint, folder):
        separate = load(folder, attention="separate", max_memory=10**10)
        assert separate["depth"].max_memory == 10**10
        settings = Settings(output=Path("out"))
        ours, other = (plan(each, settings).made_by["depth"] for each in (joint, separate))
        assert {name for name in ours if ours[name] != other[name]} == {"attention"}


def test_what_decides_the_values_is_all_in_made_by(joint):
    def made(**asked):
        return plan(joint, Settings(output=Path("out"), asked={"ensemble": 2, **asked})).made_by

    before = made()
    for name, value in {"domain": "object", "merge": "joint", "noise": "gaussian"}.items():
        for task, known in before.items():
            after = made(**{name: value})[task]
            changed = {name} - ({"merge"} if task == "normals" else set())  # joint is of depth
            assert {key for key in after if after[key] != known[key]} == changed
    assert "prompt_tokens" not in before["depth"]
    assert before["depth"].items() >= {"domain": "indoor", "attention": "joint"}.items()
    assert before["normals"].keys() - before["depth"].keys() == {"frame"}


def test_a_merge_of_the_map_that_is_not_written_is_refused(joint, folder, monkeypatch):
    asked = {"ensemble": 2, "merge": "joint,mean"}
    settings = Settings(output=Path("out"), asked=asked)
    both = plan(joint, settings)
    assert [both.made_by[task]["merge"] for task in joint] == ["joint", "mean"]
    monkeypatch.setattr(models.opening, "load", lambda _: pytest.fail("weights were read"))
    for task, name in (("depth", "mean"), ("normals", "joint")):
        message = f"tiny-geometry: merge '{name}': is of .*, and only {task} is asked for"
        with pytest.raises(SettingError, match=message):
            load(folder, task=task, asked=asked)
        with pytest.raises(SettingError, match=message):
            plan({task: joint[task]}, settings)


@pytest.mark.usefixtures("here")
class TestRun:
    def test_both_maps_and_one_record_come_from_one_pass(self, joint, monkeypatch):
        paths = [picture(f"photos/{index}.png", seed=index) for index in range(2)]
        model, passes = joint["depth"], []
        how = model.inference(domain="object")
        expected = model.predict([as_tensor(path) for path in paths], how, at_once=2)
        predict = type(model).predict

        def counted(self, images, inference, **options):
            passes.append(len(images))
            return predict(self, images, inference, **options)

        monkeypatch.setattr(type(model), "predict", counted)
        asked = {"domain": "object"}
        outcomes, summary = go(joint, batch_size=2, asked=asked)
        assert (passes, summary) == ([2], Summary(written=2))
        for index, known in enumerate(expected):
            for task in ("depth", "normals"):
                values = np.load(f"out/{index}.{task}.npy")
                assert np.array_equal(values, getattr(known, task).values)
        assert {Path(name).name for name in outcomes[0].outputs} == {
            "0.json",
            *(
                f"0.{t}{end}"
                for t in ("depth", "normals")
                for end in (".npy", ".png", ".preview.png")
            ),
        }
        maps = json.loads(Path("out/0.json").read_text())["maps"]
        assert maps["depth"]["made_by"]["domain"] == "object"
        assert maps["normals"]["about"]["provenance"]["attention"] == "joint"
        assert statuses(joint, batch_size=2, asked=asked) == ["skipped"] * 2
        assert len(passes) == 1

    def test_another_domain_is_made_anew(self, joint):
        picture("a.png")
        assert statuses(joint, "a.png", formats=("npy",)) == ["written"]
        first = Path("out/a.normals.npy").read_bytes()
        assert statuses(joint, "a.png", formats=("npy",), asked={"domain": "indoor"}) == ["skipped"]
        other = {"asked": {"domain": "outdoor"}, "formats": ("npy",)}
        assert statuses(joint, "a.png", **other) == ["written"]
        assert Path("out/a.normals.npy").read_bytes() != first
        assert statuses(joint, "a.png", **other) == ["skipped"]

    def test_one_map_alone_and_the_other_later(self, joint):
        picture("a.png")
        depth = {"depth": joint["depth"]}
        assert statuses(depth, "a.png", formats=("npy",)) == ["written"]
        assert files() == {"a.depth.npy", "a.json"}
        assert statuses(joint, "a.png", formats=("npy",)) == ["written"]
        assert files() == {"a.depth.npy", "a.normals.npy", "a.json"}
        assert statuses(depth, "a.png", formats=("npy",)) == ["skipped"]

    def test_an_ensemble_has_an_uncertainty_of_each_map(self, joint):
        picture("a.png")
        asked = {"ensemble": 3, "noise": "gaussian", "resolution": 0}
        assert statuses(joint, "a.png", formats=("npy",), asked=asked) == ["written"]
        spread = {f"a.{task}.uncertainty.npy" for task in ("depth", "normals")}
        assert files() > spread
        assert all(np.load(f"out/{name}").max() > 0 for name in spread)


@pytest.mark.usefixtures("here")
class TestLabels:
    def test_labels_are_of_the_map_that_is_chosen(self, joint):
        picture("photos/a.png")
        outcomes, labelled = label(joint["depth"], task="normals", asked={"domain": "outdoor"})
        assert [outcome.status for outcome in outcomes] == ["written"]
        (row,) = manifest.read("labels.jsonl").rows
        assert (row.depth is None, row.normals is None) == (True, False)
        assert 0 < labelled.mean_confidence < 1
        made_by = json.loads(Path("labels/a.json").read_text())["maps"]["normals"]["made_by"]
        assert made_by["domain"] == "outdoor"

    def test_one_confidence_is_of_one_map(self, joint):
        picture("photos/a.png")
        with pytest.raises(SettingError, match="choose the task depth or normals"):
            label(joint["depth"])
        assert not Path("labels").exists()
