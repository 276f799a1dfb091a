"""The command of the documentation, with torchrun's own processes around ours."""

import os
import signal
import subprocess
import sys

import killing
import micro_models
import pytest

pytestmark = pytest.mark.slow
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    return micro_models.write(tmp_path_factory.mktemp("start"))


def _begin(run, start, *options):
    with killing.said(run).open("ab") as errors:
        return subprocess.Popen(
            [sys.executable, *TORCHRUN, *killing.command(run, start, *options)],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )


def test_the_reason_of_a_failure_is_printed_in_one_line(tmp_path, start):
    run = tmp_path / "run"
    assert _begin(run, start, "--set", "phases=[[0,24,24,3]]").wait() == 1
    ours = [
        line for line in killing.said(run).read_text().splitlines() if line.startswith("monostep:")
    ]
    assert len(ours) in (1, 2)  # torchrun may end the second process before it speaks
    assert len(set(ours)) == 1
    assert "a step cannot be shared out evenly" in ours[0]


def test_asked_to_end_both_processes_leave_one_state_and_one_goes_on(tmp_path, start):
    run = tmp_path / "run"
    options = ("--set", "phases=[[0,24,24,2]]", "--set", "checkpoint_every=8")
    process = _begin(run, start, *options)
    killing.wait(process, run, lambda: killing.logged(run) >= 1)
    process.send_signal(signal.SIGTERM)  # to torchrun alone, which passes it on
    assert process.wait() != 0
    assert killing.said(run).read_text().count("is saved; --resume goes on") == 1
    (saved,) = (run / "states").iterdir()
    assert 1 <= int(saved.stem) < 8
    assert killing.finish(run, start, *options, "--resume") == 0, killing.said(run).read_text()
    assert killing.newest(run) == 8
