"""Short runs in processes of their own, to be ended at bad moments."""

import os
import signal
import subprocess
import sys
import time

import torch
from safetensors.torch import load_file

SMALL = ("steps=8", "phases=[[0,24,24,1]]", "validation_scenes=1", "scenes=50", "log_every=1")
EVERY = ("validate_every=4", "checkpoint_every=2", "warmup=2", "pictures=1", "average=0.9")
MODEL = "model/unet/diffusion_pytorch_model.safetensors"


def settings(start):
    """Those of a run of eight steps of nano-depth."""
    return [*SMALL, *EVERY, f"start={start}", "device=cpu", "precision=fp32"]


def command(run, start, *options):
    """What follows `python -m`, for such a run."""
    sets = [part for setting in settings(start) for part in ("--set", setting)]
    return ["monostep", "train", "nano-depth", "-o", str(run), *sets, *options]


def begin(run, start, *options):
    """The run as a process that leads a group of its own."""
    with said(run).open("ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", *command(run, start, *options)],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )


def finish(run, start, *options):
    """The run to its end; its exit status."""
    return begin(run, start, *options).wait()


def said(run):
    """The file with what its processes wrote to stderr."""
    return run.with_name(f"{run.name}.err")


def logged(run):
    """Lines in its log."""
    path = run / "log.jsonl"
    return len(path.read_text().splitlines()) if path.exists() else 0


def newest(run):
    """Step of its newest state; 0 without one."""
    return max((int(path.stem) for path in (run / "states").glob("*.safetensors")), default=0)


def wait(process, run, until):
    """Until something holds, which must come before the process ends."""
    while not until():
        assert process.poll() is None, said(run).read_text()
        time.sleep(0.01)


def signal_all(process, number=signal.SIGKILL):
    """The process and its workers."""
    os.killpg(process.pid, number)


def same_bits(run, other):
    """Assert that both ended with the same state and the same model."""
    newest = max(path.name for path in (other / "states").iterdir())
    for name in (f"states/{newest}", MODEL):
        ours, theirs = load_file(run / name), load_file(other / name)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)
