from pathlib import Path

import numpy as np
import pytest
import torch
from own_data import REAL

from monostep.data.procedural import render
from monostep.errors import InputError, SettingError
from monostep.evaluation.case import Case
from monostep.evaluation.frames import search as frame_search
from monostep.geometry import frames
from monostep.geometry.frames import SIGNS

SIZE = (48, 64)
NAMES = [f"s/{k}.png" for k in range(8)]


@pytest.fixture(scope="module")
def scenes():
    return render(31, range(8), SIZE)


@pytest.fixture
def write(tmp_path, scenes):
    def act(change=lambda normals: normals, name="{}.normals.npy"):
        for k in range(8):
            path = tmp_path / "s" / name.format(k)
            path.parent.mkdir(exist_ok=True)
            stored = change(scenes.normals[k] + 0.0)
            stored = stored + 0.05 * torch.randn(
                3, *SIZE, generator=torch.Generator().manual_seed(k)
            )
            np.save(path, stored.numpy())
        return tmp_path

    return act


class Truth:
    """A benchmark of the same scenes."""

    name, names, rules = "scenes", NAMES, {}

    def __init__(self, scenes):
        self._scenes = scenes

    def load(self, index, *, image=True):
        assert not image
        return Case(
            name=NAMES[index],
            stratum="all",
            image=None,
            normals=self._scenes.normals[index],
            normals_valid=self._scenes.valid[index],
        )

    def about(self):
        return {}


def _to(frame):
    return lambda normals: frames.convert(normals, source="opencv", target=frame)


def _depth(folder, scenes, change=lambda depth: depth):
    for k in range(8):
        path = folder / "depth" / "s" / f"{k}.depth.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, change(scenes.depth_m[k]).numpy())
    return folder / "depth"


@pytest.mark.parametrize("frame", list(SIGNS))
def test_every_frame_is_told_by_each_evidence(write, scenes, frame):
    folder = write(_to(frame))
    depth = _depth(folder, scenes)
    for found in (
        frame_search.by_camera(folder, limit=8),
        frame_search.by_depth(folder, depth, quantity=None, limit=8),
        frame_search.by_truth(folder, Truth(scenes), limit=8),
    ):
        assert (found.frame, found.confidence) == (frame, "clear"), found.evidence
        assert found.images == 8
        assert found.problems == {}


def test_the_angle_to_the_truth_is_the_noises(write, scenes):
    found = frame_search.by_truth(write(_to("dsine")), Truth(scenes), limit=3)
    assert found.images == 3
    best = found.guess.scores[found.guess.signs]
    assert 1 < best < 8
    assert sorted(found.guess.scores.values())[1] > 25


def test_disparity_taken_for_depth_is_doubted_until_it_is_declared(write, scenes):
    folder = write(_to("opengl"))
    depth = _depth(folder, scenes, lambda depth: 1 / depth.clamp_min(0.3))
    found = frame_search.by_depth(folder, depth, quantity=None, limit=8)
    assert found.frame is None
    assert "disparity" in str(found.doubt)
    found = frame_search.by_depth(folder, depth, quantity="disparity", limit=8)
    assert (found.frame, found.confidence) == ("opengl", "clear")


def test_swapped_channels_are_named(write, scenes):
    found = frame_search.by_truth(write(lambda normals: normals[[2, 1, 0]]), Truth(scenes), limit=8)
    assert found.frame is None
    assert "x, y, z are the stored z, y, x" in str(found.doubt)


def test_broken_files_are_problems_and_nothing_but_them_an_error(write, scenes):
    folder = write(_to("opencv"))
    (folder / "s" / "3.normals.npy").write_bytes(b"nothing")
    np.save(folder / "s" / "5.normals.npy", np.zeros((7, 9, 3), np.float32))
    found = frame_search.by_truth(folder, Truth(scenes), limit=8)
    assert (found.frame, found.images) == ("opencv", 6)
    assert {Path(path).name for path in found.problems} == {"3.normals.npy", "5.normals.npy"}
    for path in folder.rglob("*.npy"):
        path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="not a readable numpy file"):
        frame_search.by_camera(folder, limit=8)


def test_no_fellow_is_an_error(write, scenes, tmp_path_factory):
    folder = write()
    with pytest.raises(InputError, match="no prediction"):
        frame_search.by_depth(folder, tmp_path_factory.mktemp("no"), quantity=None, limit=8)
    with pytest.raises(InputError, match="no prediction"):
        frame_search.by_truth(tmp_path_factory.mktemp("none"), Truth(scenes), limit=8)


@pytest.mark.parametrize(
    ("place", "frame"),
    [
        # A bottle on a table seen from above: its floor tells y, nothing tells x.
        ("cleargrasp/synthetic-val/square-plastic-bottle-val/camera-normals", None),
        ("hypersim/preview_ai_001_001/scene_cam_00_geometry_preview", "opengl"),
    ],
)
def test_real_files_are_in_the_frame_that_their_makers_say_or_cannot_be_told(
    tmp_path, place, frame
):
    source = REAL / place
    if not source.is_dir():
        pytest.skip("real data not present")
    for path in source.iterdir():
        if path.name.endswith(("cameraNormals.exr", "normal_cam.png")):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    found = frame_search.by_camera(tmp_path, limit=1)
    assert found.frame in (None, "opengl")
    if frame is not None:
        assert found.frame == frame


def test_maps_that_nobody_declares_are_never_clear_and_wrong(tmp_path):
    """One look at a scene can fit depth and disparity both, each with signs of its own."""
    seen = []
    for k in range(5):
        scene = render(9, [k], SIZE)
        normals, disparity = tmp_path / f"n{k}", tmp_path / f"d{k}"
        normals.mkdir()
        disparity.mkdir()
        np.save(normals / "a.npy", _to("dsine")(scene.normals[0]).numpy())
        np.save(disparity / "a.npy", (1 / scene.depth_m[0].clamp_min(0.1)).numpy())
        found = frame_search.by_depth(normals, disparity, quantity=None, limit=1)
        seen.append(found.confidence)
        if found.confidence == "clear":
            assert found.frame == "dsine", k
        if found.confidence == "likely":
            assert found.caveat is None or "--quantity" in found.caveat
        declared = frame_search.by_depth(normals, disparity, quantity="disparity", limit=1)
        assert declared.frame in ("dsine", None)
        assert declared.caveat is None
    assert "likely" in seen


def test_folders_that_are_none_and_unknown_words_are_refused_before_anything_is_read(
    write, scenes, tmp_path
):
    folder, gone = write(), tmp_path / "gone"
    depth = _depth(tmp_path, scenes)
    file = next(folder.rglob("*.npy"))
    for act in (
        lambda: frame_search.by_camera(gone, limit=1),
        lambda: frame_search.by_camera(file, limit=1),
        lambda: frame_search.by_depth(gone, depth, quantity=None, limit=1),
        lambda: frame_search.by_depth(folder, gone, quantity=None, limit=1),
        lambda: frame_search.by_truth(gone, Truth(scenes), limit=1),
    ):
        with pytest.raises(InputError, match="no such folder; check the path"):
            act()
    for path in depth.rglob("*.npy"):
        path.write_bytes(b"nothing")
    with pytest.raises(SettingError, match="quantity 'foo'"):
        frame_search.by_depth(folder, depth, quantity="foo", limit=1)
