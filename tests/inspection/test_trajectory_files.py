import json

import joint_models
import marigold_folders
import numpy as np
import pytest
import torch
from PIL import Image

from monostep import loading
from monostep.inspection import trajectory, trajectory_files
from monostep.pictures import as_bytes
from monostep.predictor import Predictor


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    folder = marigold_folders.write(tmp_path_factory.mktemp("m") / "depth", "marigold-depth-v1-1")
    model = loading.load(folder)
    picture = torch.rand(3, 24, 40, generator=torch.Generator().manual_seed(3))
    ways = []
    for each in trajectory.spacings(model):
        how = model.inference(steps=3, spacing=each, resolution=0)
        ways += trajectory.follow(model, picture, how)
    return ways, as_bytes(picture)


def test_everything_is_written_and_reads_back(followed, tmp_path):
    ways, photo = followed
    written = trajectory_files.write(ways, photo, tmp_path, "cat")
    assert sorted(written) == sorted(path for path in tmp_path.rglob("*") if path.is_file())
    for way in ways:
        for number, (time, result) in enumerate(zip(way.times, way.results, strict=True), start=1):
            path = tmp_path / f"cat.{way.spacing}" / f"step{number:02}.t{time:03}.npy"
            np.testing.assert_array_equal(np.load(path), result.values)
        spread = np.load(tmp_path / f"cat.{way.spacing}" / "spread.npy")
        np.testing.assert_array_equal(spread, way.spread.numpy())
    numbers = json.loads((tmp_path / "cat.trajectory.json").read_text())
    assert numbers["trailing"]["timesteps"] == [999, 666, 332]
    assert numbers["leading"]["timesteps"] == [667, 334, 1]


def test_the_picture_has_a_row_for_each_spacing(followed, tmp_path):
    ways, photo = followed
    trajectory_files.write(ways, photo, tmp_path, "cat")
    both = np.asarray(Image.open(tmp_path / "cat.trajectory.png"))
    one = trajectory_files.draw(ways[:1], photo)
    assert both.shape[0] == 2 * one.shape[0]
    assert both.shape[1] == one.shape[1]
    # photo, three steps and the spread, each at most 240 pixels wide, with gaps between
    assert 5 * 160 < one.shape[1] <= 5 * 240 + 4 * 8


def test_a_thin_photo_makes_no_endless_picture(followed):
    ways, _ = followed
    thin = np.zeros((30, 4000, 3), np.uint8)
    assert trajectory_files.draw(ways[:1], thin).shape[1] <= 5 * 240 + 4 * 8


def test_both_maps_of_a_joint_model_are_written_each_in_its_folder(tmp_path):
    joint = Predictor(
        joint_models.model(), joint_models.CARD, device=torch.device("cpu"), dtype=torch.float32
    )
    picture = torch.rand(3, 24, 40, generator=torch.Generator().manual_seed(3))
    ways = trajectory.follow(joint, picture, joint.inference(steps=2, resolution=0))
    written = trajectory_files.write(ways, as_bytes(picture), tmp_path, "cat")
    assert sorted(written) == sorted(path for path in tmp_path.rglob("*") if path.is_file())
    for way in ways:
        last = np.load(tmp_path / f"cat.trailing.{way.kind}" / "step02.t499.npy")
        np.testing.assert_array_equal(last, way.results[-1].values)
    numbers = json.loads((tmp_path / "cat.trajectory.json").read_text())
    assert list(numbers) == ["trailing.depth", "trailing.normals"]


def test_spreads_of_the_same_kind_share_a_scale(followed):
    ways, photo = followed
    rows = [trajectory_files.draw([way], photo) for way in ways]
    both = trajectory_files.draw(ways, photo)
    larger = max(range(2), key=lambda index: float(ways[index].spread.max()))
    parts = np.split(both, 2)
    np.testing.assert_array_equal(parts[larger], rows[larger])
    assert not np.array_equal(parts[1 - larger], rows[1 - larger])
