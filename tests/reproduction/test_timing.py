import micro_models
import pytest
import torch

from monostep.errors import CheckpointError
from monostep.reproduction import timing
from monostep.reproduction.trials import ONCE, sampled

IMAGE = torch.rand(3, 24, 32, generator=torch.Generator().manual_seed(0))
WAYS = {"depth": (sampled("trailing", 1), sampled("leading", 3)), "e2e-depth": (ONCE,)}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    path = micro_models.write(tmp_path_factory.mktemp("model") / "model")
    return {"depth": path, "e2e-depth": path}


def test_every_round_is_kept_and_the_middle_one_counts(folders):
    found = timing.timing(folders, IMAGE, rounds=3, ways=WAYS)
    seconds = found["seconds"]
    assert list(seconds) == ["depth.trailing-1", "depth.leading-3", "e2e-depth.once"]
    assert min(seconds.values()) > 0
    assert (found["image"], found["rounds"], found["threads"]) == ([24, 32], 3, 1)
    for name, each in found["each"].items():
        assert sorted(each)[1] == seconds[name] and len(each) == 3


def test_it_runs_on_one_thread_and_gives_the_others_back(folders, monkeypatch):
    before, seen = torch.get_num_threads(), []
    torch.set_num_threads(2)

    def seconds(_call):
        seen.append(torch.get_num_threads())
        return 1.0

    monkeypatch.setattr(timing, "_seconds", seconds)
    try:
        timing.timing(folders, IMAGE, rounds=1, ways=WAYS)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [1] * 6  # three ways, twice


def test_the_study_compares_all_that_it_reports():
    names = [f"{model}.{way.name}" for model, ways in timing.WAYS.items() for way in ways]
    assert names == [
        "depth.trailing-1",
        "depth.leading-50",
        "depth.leading-50x10",
        "lcm.lcm-1",
        "lcm.lcm-4",
        "e2e-depth.once",
        "normals.trailing-1",
        "normals.leading-50",
        "normals.leading-50x10",
        "e2e-normals.once",
    ]


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(CheckpointError):
        timing.timing({"depth": tmp_path, "e2e-depth": tmp_path}, IMAGE, ways=WAYS)
