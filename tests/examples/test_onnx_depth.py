"""The consumer without torch, in an environment that has none."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import monostep

ROOT = Path(__file__).parents[2]


def _run(*command, **options):
    parts = [str(part) for part in command]
    return subprocess.run(parts, check=True, capture_output=True, text=True, **options)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_it_runs_with_numpy_pillow_and_onnxruntime_alone(tmp_path):
    model, photo, target = (tmp_path / name for name in ("nano.onnx", "photo.png", "depth.png"))
    _run(sys.executable, "-m", "monostep", "export", "nano-depth", "-o", model)
    rows = np.linspace(0, 255, 90)[:, None, None] * np.ones((1, 70, 3))
    Image.fromarray(rows.astype(np.uint8)).save(photo)
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    needed = ("numpy", "pillow", "onnxruntime")
    _run(python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", *needed)
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    _run(python, ROOT / "examples" / "onnx_depth.py", model, photo, target, env=clean, cwd=tmp_path)
    depth = np.asarray(Image.open(target)).astype(np.float32) / 65535
    said = monostep.load("nano-depth", device="cpu", dtype="fp32")(photo).values
    assert abs(depth - said).max() < 1e-4
    missing = subprocess.run([str(python), "-c", "import torch"], capture_output=True, check=False)
    assert missing.returncode != 0
