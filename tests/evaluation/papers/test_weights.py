import json
import shutil
from dataclasses import replace

import geowizard_folders
import marigold_folders
import pytest

from monostep.errors import CheckpointError
from monostep.evaluation.papers import published
from monostep.evaluation.papers import weights as paper_weights
from monostep.runner.models import Loading

HOW = Loading(dtype="fp32", device="cpu")
DEPTH, NORMALS = published.TABLES["4"].rows, published.TABLES["2"].rows


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A tiny checkpoint as E2E-FT's authors publish them: it does not say what it predicts."""
    folder = tmp_path_factory.mktemp("written") / "e2e"
    return marigold_folders.write(folder, "e2e-depth", text_encoder=False)


@pytest.fixture(autouse=True)
def _no_hub(tmp_path, monkeypatch):
    """An empty cache, and any request is an error."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("monostep.checkpoints.hub._online", _refuse)


def _refuse(*_):
    raise AssertionError("the Hub was asked")


@pytest.mark.parametrize(
    "place",
    [
        "GonzaloMG/marigold-e2e-ft-depth",
        "marigold-e2e-ft-depth",
        "e2e-depth",
        "marigold-e2e",
    ],
)
def test_a_folder_of_weights_is_found_by_each_of_its_names(tmp_path, written, place):
    target = tmp_path / "w" / place
    target.parent.mkdir(parents=True)
    target.symlink_to(written)
    found = paper_weights.find("marigold-e2e", DEPTH["marigold-e2e"], HOW, weights=tmp_path / "w")
    assert found.folder == target
    assert (found.card.task, found.card.family) == ("depth", "end-to-end")


def test_the_table_says_what_the_checkpoint_cannot(tmp_path, written):
    (tmp_path / "marigold-e2e-ft-normals").symlink_to(written)
    found = paper_weights.find("marigold-e2e", NORMALS["marigold-e2e"], HOW, weights=tmp_path)
    assert (found.card.task, found.card.frame) == ("normals", "dsine")


@pytest.mark.parametrize(
    ("number", "place", "attention"),
    [("3", "geowizard-e2e", "separate"), ("A-3", "geowizard-e2e-ft", "separate")],
)
def test_a_joint_checkpoint_stands_for_depth_and_for_normals(tmp_path, number, place, attention):
    geowizard_folders.write(tmp_path / place, "geowizard-e2e")
    row = published.TABLES[number].rows["geowizard-e2e"]
    found = paper_weights.find("geowizard-e2e", row, HOW, weights=tmp_path)
    assert (found.card.task, found.card.frame) == ("geometry", "opencv")
    assert found.card.attention == attention
    joint = replace(row, run=replace(row.run, attention="joint"))
    found = paper_weights.find("geowizard-e2e", joint, HOW, weights=tmp_path)
    assert found.card.attention == "joint"


def test_a_consistency_model_is_known_by_its_scheduler(tmp_path, written):
    copy = shutil.copytree(written, tmp_path / "marigold-lcm")
    scheduler = copy / "scheduler" / "scheduler_config.json"
    values = json.loads(scheduler.read_text()) | {"_class_name": "LCMScheduler"}
    scheduler.write_text(json.dumps(values))
    row = published.TABLES["1"].rows["marigold-lcm-1x1"]
    found = paper_weights.find("marigold-lcm-1x1", row, HOW, weights=tmp_path)
    assert found.card.family == "consistency"


def test_an_ablation_that_was_trained_is_found_by_its_row(tmp_path, written):
    (tmp_path / "marigold-e2e-gaussian").symlink_to(written)
    row = DEPTH["marigold-e2e-gaussian"]
    found = paper_weights.find("marigold-e2e-gaussian", row, HOW, weights=tmp_path)
    assert found.card.task == "depth"


def test_an_ablation_that_was_not_trained_says_how(tmp_path):
    row = DEPTH["sd-e2e-gaussian"]
    with pytest.raises(CheckpointError, match=r"monostep train sd-e2e-depth --set noise=gaussian"):
        paper_weights.find("sd-e2e-gaussian", row, HOW, weights=tmp_path)


@pytest.mark.parametrize(("rows", "key"), [(DEPTH, "marigold-e2e"), (NORMALS, "marigold-fixed")])
def test_nothing_is_downloaded_and_the_line_says_how_to(tmp_path, rows, key):
    with pytest.raises(CheckpointError, match=rf"run hf download {rows[key].run.checkpoint}"):
        paper_weights.find(key, rows[key], HOW, weights=tmp_path)


def test_the_hub_is_asked_only_when_allowed(tmp_path):
    with pytest.raises(AssertionError, match="was asked"):
        paper_weights.find(
            "marigold-e2e", DEPTH["marigold-e2e"], HOW, weights=tmp_path, download=True
        )
