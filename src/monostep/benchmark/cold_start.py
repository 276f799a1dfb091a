"""From the start of a process to a map in a file: what one picture costs who has only one.

monostep's command line, the least script that does the same with diffusers, and what both begin
with, `import torch`, in turns.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from monostep.benchmark.cases import Case, pictures
from monostep.benchmark.fleet import SubjectError
from monostep.benchmark.program import Weights, settings
from monostep.benchmark.rounds import order
from monostep.benchmark.subjects import DIFFUSERS, OURS

TORCH = "import torch"
_SCRIPT = Path(__file__).with_name("minimal_diffusers.py")


@dataclass(frozen=True, kw_only=True)
class Start:
    """A command, and the file that it must have written, if any."""

    command: list[str]
    output: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Starts:
    """Seconds of each command by round, and why others have none."""

    seconds: dict[str, list[float]]
    failed: dict[str, str]


def measure(
    weights: Weights,
    case: Case,
    *,
    times: int,
    device: str,
    threads: int | None,
    with_diffusers: bool,
    tell: Callable[[str], None],
) -> Starts:
    """Every command so many times after one that nobody counts, which reads the files."""
    seconds: dict[str, list[float]] = {}
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as work:
        commands = _commands(weights, case, device, Path(work), with_diffusers=with_diffusers)
        for turn in range(times + 1):
            tell(f"cold start: {'warms up' if turn == 0 else f'round {turn} of {times}'}")
            for name in order([name for name in commands if name not in failed], turn):
                try:
                    taken = _run(commands[name], threads)
                except SubjectError as error:
                    failed[name] = str(error)
                    seconds.pop(name, None)
                    continue
                if turn > 0:
                    seconds.setdefault(name, []).append(taken)
    return Starts(seconds=seconds, failed=failed)


def _commands(
    weights: Weights, case: Case, device: str, work: Path, *, with_diffusers: bool
) -> dict[str, Start]:
    photo = work / "photo.png"
    pixels = pictures(Case(size=case.size))[0].permute(1, 2, 0).mul(255).round().byte()
    Image.fromarray(pixels.numpy()).save(photo)
    found = {
        TORCH: Start(command=[sys.executable, "-c", "import torch"]),
        OURS: _ours(weights, case, device, photo),
    }
    if with_diffusers:
        found[DIFFUSERS] = _theirs(weights, case, device, photo)
    return found


def _ours(weights: Weights, case: Case, device: str, photo: Path) -> Start:
    card = weights.find().card
    joint = card.task == "geometry"  # which is told from its card, and writes both maps
    asked = {
        "--output": photo.parent / "ours",
        "--model": weights.source,
        "--task": None if joint else card.task,
        "--network-frame": weights.frame,
        "--steps": case.steps,
        "--resolution": 0,
        "--format": "npy",
        "--device": device,
    }
    options = [str(word) for pair in asked.items() if pair[1] is not None for word in pair]
    command = [sys.executable, "-m", "monostep", "predict", str(photo), "--overwrite", *options]
    return Start(command=command, output=photo.parent / "ours" / f"{photo.stem}.{card.maps[0]}.npy")


def _theirs(weights: Weights, case: Case, device: str, photo: Path) -> Start:
    checkpoint = weights.find()
    how = settings(checkpoint.card, case)
    prompt, output = photo.with_name("prompt.npy"), photo.with_name("theirs.npy")
    np.save(prompt, weights.prompt)
    asked = {
        "folder": str(checkpoint.folder),
        "prompt": str(prompt),
        "photo": str(photo),
        "output": str(output),
        "task": checkpoint.card.task,
        "steps": how.steps,
        "spacing": how.spacing,
        "zeros": how.noise == "zeros",
        "device": device,
    }
    # -P: what lies beside the script is none of its business
    script = [sys.executable, "-P", "-W", "ignore", str(_SCRIPT)]
    return Start(command=[*script, json.dumps(asked)], output=output)


def _run(start: Start, threads: int | None) -> float:
    """Seconds until the command has ended; SubjectError unless it wrote its file anew."""
    if start.output is not None:
        start.output.unlink(missing_ok=True)
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    if threads:
        environment["OMP_NUM_THREADS"] = str(threads)
    begin = time.perf_counter()
    done = subprocess.run(start.command, capture_output=True, text=True, env=environment)
    seconds = time.perf_counter() - begin
    if done.returncode or (start.output is not None and not start.output.exists()):
        last = (done.stderr.strip().splitlines() or ["it wrote no file"])[-1]
        raise SubjectError(f"exit code {done.returncode}: {last}")
    return seconds
