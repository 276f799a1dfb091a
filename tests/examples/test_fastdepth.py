"""A real network of another program, scored on real frames beside ours and a trivial map."""

import csv
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from own_data import REAL
from PIL import Image
from scripts import real_frames

ROOT = Path(__file__).parents[2]
NETWORK = REAL.parent / "weights" / "fast_depth" / "fast_depth_224_openmv.tflite"


def _run(*command):
    parts = [sys.executable, *map(str, command)]
    return subprocess.run(parts, check=True, capture_output=True, text=True, cwd=ROOT)


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    if find_spec("ai_edge_litert") is None:
        pytest.skip("ai-edge-litert is not installed")
    if not NETWORK.is_file():
        pytest.skip("real data not present")
    folder = tmp_path_factory.mktemp("real")
    frames = real_frames.write_depth(REAL, folder)
    _run("examples/fastdepth.py", frames, NETWORK, folder / "fastdepth")
    models = ("--model", "nano-depth", "--predictions", folder / "fastdepth")
    _run("-m", "monostep", "evaluate", frames, *models, "-o", folder / "out")
    return folder


@pytest.mark.slow
def test_it_beats_our_small_model_which_beats_one_depth_everywhere(reports):
    fast, nano = (
        json.loads((reports / "out" / f"real-{name}.json").read_text())
        for name in ("fastdepth", "nano-depth")
    )
    assert fast["images"] == nano["images"] == 10
    assert fast["predictions"] == "fastdepth"
    of_fast, of_nano = (each["metrics"]["abs_rel"] for each in (fast, nano))
    row, constant = (fast["baselines"][name]["abs_rel"] for name in ("row", "constant"))
    assert of_fast < 0.8 * row
    assert of_fast < of_nano < constant
    assert 0.05 < of_fast < 0.15


@pytest.mark.slow
@pytest.mark.parametrize("frame", ["00060", "00109", "00263"])
def test_each_image_is_scored_as_numpy_scores_it(reports, frame):
    truth = np.asarray(Image.open(REAL / "hololens" / "depth" / f"{frame}.png")) / 1000.0
    (path,) = (reports / "fastdepth").rglob(f"{frame}.png.npy")
    predicted = np.load(path).astype(np.float64)
    valid = truth > 1e-5
    columns = np.stack([predicted[valid], np.ones(valid.sum())], axis=1)
    depth = columns @ np.linalg.lstsq(columns, truth[valid], rcond=None)[0]
    expected = (abs(depth.clip(1e-5) - truth[valid]) / truth[valid]).mean()
    with (reports / "out" / "real-fastdepth.csv").open() as file:
        (found,) = (line for line in csv.DictReader(file) if line["image"].endswith(f"{frame}.png"))
    assert abs(float(found["abs_rel"]) - expected) < 1e-6 * expected
