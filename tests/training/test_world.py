import socket

import pytest
import torch
from constant_task import ALONE
from two_processes import PATIENCE_S, constant_job, together

from monostep.errors import InputError, SettingError, TrainingError
from monostep.training import world
from monostep.training.world import joined

pytestmark = pytest.mark.slow  # two processes that wait for each other, again and again

EXCHANGE, LATE = {"job": "exchange"}, {"job": "late"}
KINDS = ("fine", "unreadable", "nan", "invalid", "stuck", "late")


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What two processes say of each job; of process 1 something is wrong in most."""
    folder = tmp_path_factory.mktemp("pair")
    runs = [constant_job(what, folder / what, "skips=1") for what in KINDS]
    forbidden = constant_job("nan", folder / "forbidden")
    results = together(folder / "work", EXCHANGE, LATE, forbidden, *runs)
    return dict(zip(("exchange", "alone", "forbidden", *KINDS), results, strict=True))


def test_exchanges_are_the_same_everywhere(said):
    first, second = said["exchange"]
    assert first == second
    assert first["total"] == [3.0, 1.0]
    assert first["gather"] == [0, 1]
    assert first["hosts"] == 2


def test_an_error_of_one_process_is_that_of_all(said):
    assert [each["error"] for each in said["exchange"]] == ["b.png: broken"] * 2


def test_who_does_not_come_is_named_with_its_machine(said):
    error = said["alone"][0]["error"]
    host = socket.gethostname()
    assert error.startswith("TrainingError: process 0")
    assert f"for a test: process 1 ({host}) did not come within {PATIENCE_S} s" in error


@pytest.mark.parametrize("what", ["stuck", "late"])
def test_a_stuck_process_is_named(said, what):
    error = said[what][0]["error"]
    assert "process 1 (" in error
    assert "did not come within" in error
    assert "\n" not in error


def test_data_that_one_process_cannot_read_end_all_with_the_same_line(said):
    first, second = (each["error"] for each in said["unreadable"])
    assert first == second
    assert first.startswith("InputError: n")
    assert first.endswith("cannot be read")


def test_an_image_without_truth_on_one_process_holds_nobody_up(said):
    first, second = said["invalid"]
    assert first == second
    assert (first["step"], first["skipped"]) == (4, 0)
    assert first["weight"] != said["fine"][0]["weight"]


def test_a_loss_that_is_not_finite_on_one_process_is_skipped_by_all_and_counted(said):
    first, second = said["nan"]
    assert first == second
    assert (first["step"], first["skipped"]) == (4, 1)
    assert first["weight"] not in (0.25, said["fine"][0]["weight"])


def test_skips_that_are_not_allowed_end_all_processes_and_name_the_images_of_the_one(said):
    first, second = (each["error"] for each in said["forbidden"])
    assert first == second
    named = first.partition("Images: ")[2].partition(".")[0].split(", ")
    assert len(named) == 2  # of four in the step


def test_alone_nobody_is_waited_for():
    ALONE.meet("for nobody")
    assert ALONE.total(1, 2.5) == [1, 2.5]
    assert ALONE.gather("me") == ["me"]
    assert ALONE.leads
    with pytest.raises(InputError, match="broken"), ALONE.together("for nobody"):
        raise InputError("broken")


def test_without_torchrun_there_is_one_process(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined("cpu", 1.0) as alone:
        assert (alone.rank, alone.size, alone.device) == (0, 1, torch.device("cpu"))


def test_half_an_environment_is_named(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in world.NEEDED[1:]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RANK", "0")
    with (
        pytest.raises(SettingError, match=r"MASTER_ADDR, MASTER_PORT not set: start with torchrun"),
        joined("cpu", 1.0),
    ):
        pass


def test_a_first_process_that_cannot_be_reached_is_named(monkeypatch):
    environment = {"WORLD_SIZE": "2", "RANK": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "9"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with (
        pytest.raises(TrainingError, match=r"process 1 of 2 cannot reach 127\.0\.0\.1:9 \("),
        joined("cpu", 1.0),
    ):
        pass


def test_more_processes_than_gpus_are_refused(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "3")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(SettingError, match=r"there are 2: lower --nproc-per-node"):
        world._own_gpu()
