"""Folders that one process writes and reads; test_parallel.py has those of two."""

import shutil

import pytest
import torch
from constant_task import ALONE
from torch import nn

from monostep.errors import OutputError, TrainingError
from monostep.training import sharded_state
from monostep.training.sharded_state import load, save

pytestmark = pytest.mark.filterwarnings("ignore:torch.distributed is disabled")


def _tensors():
    torch.manual_seed(0)
    module = nn.Linear(3, 2)
    moments = {"exp_avg/weight": torch.rand(2, 3), "step/weight": torch.tensor(7.0)}
    return module, {"weight/weight": module.weight.detach(), **moments}


def test_what_was_saved_is_loaded(tmp_path):
    module, tensors = _tensors()
    save(tmp_path / "00000007", tensors, {"step": 7}, ALONE)
    found, progress = load(tmp_path / "00000007", {}, module)
    assert progress == {"step": 7}
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) for name in found)
    assert [path.name for path in tmp_path.iterdir()] == ["00000007"]


def test_a_state_of_the_same_step_and_what_a_killed_run_left_are_replaced(tmp_path):
    module, tensors = _tensors()
    (tmp_path / sharded_state.UNFINISHED).mkdir()
    (tmp_path / sharded_state.UNFINISHED / "half").write_bytes(b"written")
    for value in (1.0, 2.0):
        save(tmp_path / "1", {**tensors, "step/weight": torch.tensor(value)}, {}, ALONE)
    assert load(tmp_path / "1", {}, module)[0]["step/weight"] == 2
    assert not (tmp_path / "1" / "half").exists()


@pytest.mark.parametrize("part", [".metadata", "progress.json", "__0_0.distcp"])
@pytest.mark.parametrize("how", ["missing", "cut"])
def test_a_broken_folder_is_named_in_one_line(tmp_path, part, how):
    module, tensors = _tensors()
    save(tmp_path / "1", tensors, {"step": 1}, ALONE)
    path = tmp_path / "1" / part
    if how == "cut":
        path.write_bytes(path.read_bytes()[: len(path.read_bytes()) // 2])
    else:
        path.unlink()
    with pytest.raises(TrainingError) as told:
        load(tmp_path / "1", {}, module)
    assert str(told.value).startswith(str(tmp_path / "1"))
    assert "\n" not in str(told.value)


def test_tensors_that_the_recipe_does_not_train_are_named(tmp_path):
    module, tensors = _tensors()
    save(tmp_path / "1", {**tensors, "weight/other": torch.ones(2)}, {}, ALONE)
    with pytest.raises(TrainingError, match="weight/other, which this recipe does not train"):
        load(tmp_path / "1", {}, module)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    _, tensors = _tensors()
    (tmp_path / "states").write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="00000001: cannot be written") as told:
        save(tmp_path / "states" / "00000001", tensors, {}, ALONE)
    assert "\n" not in str(told.value)


def test_a_crash_before_the_end_leaves_the_old_one(tmp_path, monkeypatch):
    module, tensors = _tensors()
    save(tmp_path / "1", tensors, {"step": 1}, ALONE)

    def dies(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(sharded_state, "write_json", dies)
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path / "1", tensors, {"step": 1}, ALONE)
    assert load(tmp_path / "1", {}, module)[1] == {"step": 1}
    shutil.rmtree(tmp_path / "1")
    assert [path.name for path in tmp_path.iterdir()] == [sharded_state.UNFINISHED]
