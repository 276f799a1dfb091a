import signal
import subprocess
import sys
import textwrap
import time

import pytest

from monostep.errors import MissingExtraError, SettingError, TrainingError
from monostep.reproduction import jobs as plan
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
    monkeypatch.setattr(plan, "jobs", lambda _folder, _budget: jobs)
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
    ]
    lines, _ = _run(tmp_path, jobs, monkeypatch)
    assert lines.index("a ends") < lines.index("b begins")
    assert lines[-2:] == ["c begins", "c ends"]
    assert set(times.load(tmp_path)) == {"a", "b", "c", "d"}


def test_a_folder_belongs_to_one_budget(tmp_path, monkeypatch):
    _run(tmp_path, [], monkeypatch)
    with pytest.raises(SettingError, match="holds a study of budget quick, this is cpu; choose"):
        runner.run(tmp_path, BUDGETS["cpu"], at_once=1, say=print)


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


def test_an_interrupt_ends_what_runs_and_counts_its_time(tmp_path):
    script = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from monostep.reproduction import jobs as plan, run as runner
        from monostep.reproduction.budget import BUDGETS
        from monostep.reproduction.jobs import Job
        folder = Path({str(tmp_path)!r})
        runner.WORK = "stand_in"
        job = Job(name="a", words=("a", "x"), done=(folder / "x",))
        plan.jobs = lambda _folder, _budget: [job]
        runner.run(folder, BUDGETS["quick"], at_once=1, say=lambda line: None)
    """)
    (tmp_path / "stand_in.py").write_text("import time; time.sleep(60)")
    process = subprocess.Popen([sys.executable, "-c", script], env={"PYTHONPATH": str(tmp_path)})
    log = tmp_path / "logs" / "a.log"
    while not log.is_file():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) != 0
    assert times.load(tmp_path)["a"] < 20
    assert [piece["ended"] for piece in times.pieces(tmp_path)] == ["cut"]
