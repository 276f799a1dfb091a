import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from monostep.errors import MissingExtraError, TrainingError
from monostep.reproduction import jobs as listed
from monostep.reproduction import run as runner
from monostep.reproduction import times
from monostep.reproduction.budget import BUDGETS
from monostep.reproduction.jobs import Job

# A stand-in for the module that measures: writes the file that it is told, or fails.
PROGRAM = """
import pathlib, sys, time
_, folder, budget, what, path = sys.argv
with open(f"{folder}/order", "a") as file:
    file.write(what + " begins\\n")
time.sleep(0.3)
if what == "fail":
    sys.exit("no")
pathlib.Path(path).touch()
with open(f"{folder}/order", "a") as file:
    file.write(what + " ends\\n")
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    (tmp_path / "stand_in.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(runner, "WORK", "stand_in")


def _job(folder, name, *needs, word=None, alone=False):
    path = folder / f"{name}.done"
    return Job(name=name, words=(word or name, str(path)), done=(path,), needs=needs, alone=alone)


def _run(folder, jobs, monkeypatch, at_once=2):
    monkeypatch.setattr(listed, "jobs", lambda _folder, _budget, _seeds: jobs)
    heard: list[str] = []
    try:
        runner.run(folder, BUDGETS["quick"], at_once=at_once, say=heard.append)
    finally:
        order = folder / "order"
        lines = order.read_text().splitlines() if order.is_file() else []
    return lines, heard


@pytest.mark.usefixtures("program")
def test_jobs_wait_for_what_they_need_and_for_quiet(tmp_path, monkeypatch):
    jobs = [
        _job(tmp_path, "a"),
        _job(tmp_path, "b", "a"),
        _job(tmp_path, "c", alone=True),
        _job(tmp_path, "d"),
        _job(tmp_path, "e", "b", "d"),
    ]
    lines, _ = _run(tmp_path, jobs, monkeypatch)
    assert lines.index("a ends") < lines.index("b begins")
    assert lines.index("d begins") < lines.index("c begins")  # nobody is idle while c waits
    assert lines[-4:] == ["c begins", "c ends", "e begins", "e ends"]
    assert set(times.load(tmp_path)) == set("abcde")


@pytest.mark.usefixtures("program")
def test_two_commands_do_not_work_in_one_folder(tmp_path, monkeypatch):
    with (tmp_path / runner.LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(
            TrainingError, match="another command works on this study, or trainings"
        ):
            _run(tmp_path, [_job(tmp_path, "a")], monkeypatch)
    assert times.pieces(tmp_path) == []


@pytest.mark.usefixtures("program")
def test_no_more_run_at_once_than_asked(tmp_path, monkeypatch):
    lines, _ = _run(tmp_path, [_job(tmp_path, name) for name in "abc"], monkeypatch, at_once=1)
    assert lines == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]


TRAINER = """
import json, pathlib, sys, time
name, folder, *words = sys.argv[1:]
run = pathlib.Path(folder)
run.mkdir(parents=True, exist_ok=True)
with (run / "called").open("a") as file:
    file.write(" ".join(words) + "\\n")
(run / "states").mkdir(exist_ok=True)
(run / "config.json").write_text("{}")
if "--resume" not in words:
    sys.exit(1)
"""


@pytest.mark.usefixtures("program")
def test_a_training_that_was_cut_is_resumed_and_its_states_are_given_back(tmp_path, monkeypatch):
    (tmp_path / "trainer.py").write_text(TRAINER.replace("\\\\n", "\\n"))
    monkeypatch.setattr(runner, "TRAINER", "trainer")
    run = tmp_path / "runs" / "a"
    done = (run / listed.FINISHED,)
    job = Job(name="a", words=("train", str(run)), done=done, trains=True)
    jobs = [job, _job(tmp_path, "b", "a")]
    with pytest.raises(TrainingError, match="2 jobs failed or need one that did: a, b"):
        _run(tmp_path, jobs, monkeypatch)
    assert (run / "states").is_dir()
    first = times.load(tmp_path)["a"]
    _run(tmp_path, jobs, monkeypatch)
    assert all(each.is_done for each in jobs)
    assert (run / "called").read_text().split("\n")[:2] == ["", "--resume"]
    assert not (run / "states").exists()
    assert times.load(tmp_path)["a"] > first


def test_a_missing_package_is_named_before_anything_begins(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "PACKAGES", ("scipy", "not_there"))
    with pytest.raises(MissingExtraError, match=r"package not_there: pip install 'monostep\[repro"):
        runner.run(tmp_path / "new", BUDGETS["cpu"], at_once=1, say=print)
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("program")
def test_what_is_done_is_not_done_again(tmp_path, monkeypatch):
    jobs = [_job(tmp_path, "a"), _job(tmp_path, "b", "a")]
    (tmp_path / "a.done").touch()
    lines, heard = _run(tmp_path, jobs, monkeypatch)
    assert lines == ["b begins", "b ends"]
    assert heard[0] == "2 jobs, 1 of them done before"


@pytest.mark.usefixtures("program")
def test_a_failure_takes_along_what_needs_it_and_nothing_else(tmp_path, monkeypatch):
    jobs = [
        _job(tmp_path, "a", word="fail"),
        _job(tmp_path, "b", "a"),
        _job(tmp_path, "c", "b"),
        _job(tmp_path, "d"),
    ]
    with pytest.raises(TrainingError, match="3 jobs failed or need one that did: a, b, c"):
        _run(tmp_path, jobs, monkeypatch)
    assert (tmp_path / "d.done").is_file()
    assert "no" in (tmp_path / "logs" / "a.log").read_text()


@pytest.fixture
def command(tmp_path):
    """A command in a process of its own, when its one job, which sleeps, has begun."""
    script = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from monostep.reproduction import jobs as listed, run as runner
        from monostep.reproduction.budget import BUDGETS
        from monostep.reproduction.jobs import Job
        folder = Path({str(tmp_path)!r})
        runner.WORK = "stand_in"
        job = Job(name="a", words=("a", "x"), done=(folder / "x",))
        listed.jobs = lambda _folder, _budget, _seeds: [job]
        runner.run(folder, BUDGETS["quick"], at_once=1, say=lambda line: None)
    """)
    (tmp_path / "stand_in.py").write_text(SLEEPER)
    process = subprocess.Popen([sys.executable, "-c", script], env={"PYTHONPATH": str(tmp_path)})
    for _ in range(600):
        if (tmp_path / "pid").is_file():
            break
        time.sleep(0.05)
    return process


# Says its number and lives on for a minute.
SLEEPER = """
import os, pathlib, sys, time
with open(f"{sys.argv[1]}/pid.part", "w") as file:
    file.write(str(os.getpid()))
os.replace(file.name, f"{sys.argv[1]}/pid")
time.sleep(60)
"""


@pytest.mark.usefixtures("program")
def test_time_is_written_down_as_it_passes(tmp_path, monkeypatch):
    """So that a kill loses little of it; and what is written in pieces is the whole."""
    monkeypatch.setattr(runner, "COUNT_S", 0)
    written: list[float] = []
    add = times.add

    def remember(folder, job, seconds):
        written.append(seconds)
        add(folder, job, seconds)

    monkeypatch.setattr(times, "add", remember)
    _run(tmp_path, [_job(tmp_path, "a")], monkeypatch)
    assert len(written) > 1
    assert times.load(tmp_path)["a"] == pytest.approx(sum(written), abs=0.1 * len(written))


def test_an_interrupt_ends_what_runs_and_counts_its_time(tmp_path, command):
    command.send_signal(signal.SIGINT)
    assert command.wait(timeout=60) != 0
    assert times.load(tmp_path)["a"] < 60
    assert [piece["ended"] for piece in times.pieces(tmp_path)] == ["cut"]


def test_what_a_killed_command_left_behind_is_not_done_twice(tmp_path, command, monkeypatch):
    command.kill()
    command.wait(timeout=60)
    with pytest.raises(TrainingError, match="trainings that a killed one left behind"):
        _run(tmp_path, [_job(tmp_path, "a")], monkeypatch)
    orphan = int((tmp_path / "pid").read_text())
    os.kill(orphan, signal.SIGKILL)
    for _ in range(200):
        with contextlib.suppress(TrainingError):
            _run(tmp_path, [], monkeypatch)
            break
        time.sleep(0.05)
    else:
        raise AssertionError("the lock is still held")
