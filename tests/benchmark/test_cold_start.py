import sys
from dataclasses import replace

import pytest

from monostep.benchmark import cold_start
from monostep.benchmark.cases import Case
from monostep.benchmark.cold_start import Start
from monostep.benchmark.fleet import SubjectError

CASE = Case(size=(32, 48))


def _measure(weights, **changes):
    options = {"times": 2, "device": "cpu", "threads": 1, "with_diffusers": False}
    return cold_start.measure(weights, CASE, tell=lambda _: None, **options | changes)


def test_commands_run_in_turns_and_the_first_round_is_not_counted(weights, monkeypatch):
    ran = []

    def run(start, threads):
        assert threads == 1
        ran.append(start.command[1])
        return float(len(ran))

    monkeypatch.setattr(cold_start, "_run", run)
    starts = _measure(weights, with_diffusers=True)
    assert ran == ["-c", "-m", "-P", "-P", "-m", "-c", "-c", "-m", "-P"]
    assert starts.seconds == {"diffusers": [4, 9], "monostep": [5, 8], "import torch": [6, 7]}
    assert starts.failed == {}


def test_a_command_that_fails_is_named_and_not_run_again(weights, monkeypatch):
    ran = []

    def run(start, _):
        ran.append(start.command[1])
        if start.command[1] == "-m":
            raise SubjectError("exit code 1: no")
        return 1.0

    monkeypatch.setattr(cold_start, "_run", run)
    starts = _measure(weights)
    assert starts.failed == {"monostep": "exit code 1: no"}
    assert starts.seconds == {"import torch": [1.0, 1.0]}
    assert ran.count("-m") == 1


def test_a_command_must_write_its_file_anew(tmp_path):
    output = tmp_path / "a.npy"
    output.write_bytes(b"old")
    nothing = Start(command=[sys.executable, "-c", "pass"], output=output)
    with pytest.raises(SubjectError, match="wrote no file"):
        cold_start._run(nothing, None)
    words = f"open({str(output)!r}, 'w').close()"
    assert cold_start._run(replace(nothing, command=[sys.executable, "-c", words]), None) > 0
    bad = Start(command=[sys.executable, "-c", "raise SystemExit('a reason')"])
    with pytest.raises(SubjectError, match="exit code 1: a reason"):
        cold_start._run(bad, None)


def test_threads_and_no_network_are_in_the_environment():
    words = "import os; assert os.environ['OMP_NUM_THREADS'] + os.environ['HF_HUB_OFFLINE'] == '31'"
    assert cold_start._run(Start(command=[sys.executable, "-c", words]), 3) > 0


@pytest.mark.slow
def test_the_command_line_writes_the_map(weights, tmp_path):
    commands = cold_start._commands(weights, CASE, "cpu", tmp_path, with_diffusers=False)
    assert list(commands) == ["import torch", "monostep"]
    assert cold_start._run(commands["monostep"], 1) > 0
    assert cold_start._run(commands["monostep"], 1) > 0, "not skipped as complete"
