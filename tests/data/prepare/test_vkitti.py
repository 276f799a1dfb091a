import shutil

import numpy as np
import pytest
import torch
from official_trees import VKITTI_SIZE, vkitti_frame

from monostep.data import manifest
from monostep.data.frame import load
from monostep.data.manifest_source import ManifestSource
from monostep.data.prepare import vkitti
from monostep.data.prepare.run import run
from monostep.data.prepare.vkitti import Choice, plan
from monostep.errors import InputError, SettingError
from monostep.files.atomic import write_bytes
from monostep.files.maps import read_normals
from monostep.geometry.camera import Camera

FX, FY, CX, CY = vkitti.INTRINSICS_PX
GROUND = np.array([0, -0.99, -0.12])
GROUND /= np.linalg.norm(GROUND)
ONE = ("Scene18",)


def street() -> np.ndarray:
    """Codes in centimetres of ground 1.6 m below, and sky."""
    rays = Camera(focal_x_px=FX, focal_y_px=FY, centre_x_px=CX, centre_y_px=CY).rays(*VKITTI_SIZE)
    depth_m = -1.6 / np.einsum("i,ihw->hw", GROUND, rays.double().numpy())
    seen = (depth_m > 0) & (depth_m < 200)
    return np.where(seen, np.rint(depth_m * 100), 65535).astype(np.uint16)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    for camera in (0, 1):
        for number in (0, 1):
            vkitti_frame(folder, "Scene18", "fog", camera, number, codes=street())
    return folder


@pytest.fixture
def root(written, tmp_path):
    """A copy of the official files, to be changed."""
    return shutil.copytree(written, tmp_path / "official")


def fog(**changes) -> Choice:
    return Choice(**{"scenes": ONE, "conditions": ("fog",), **changes})


def test_official_files_are_pointed_at_and_read_in_metres_with_sky(root, tmp_path):
    report = run(plan(root, tmp_path / "out", fog()), tmp_path / "out")
    made = manifest.read(report.manifest)
    assert [row.image.name for row in made.rows] == ["rgb_00000.jpg", "rgb_00001.jpg"] * 2
    assert all(row.image.is_file() and row.depth.is_file() for row in made.rows if row.depth)
    assert "../official/vkitti_2.0.3_depth/Scene18" in report.manifest.read_text()
    frame, codes = load(made.rows[0], made.declaration), street()
    assert torch.equal(frame.sky, torch.from_numpy(codes == 65535))
    assert torch.equal(frame.valid, torch.from_numpy(codes < 8000))
    near = codes < 8000
    assert np.allclose(frame.depth_m.numpy()[near], codes[near] / 100)


def test_the_batch_is_the_benchmarks_crop(root, tmp_path):
    report = run(plan(root, tmp_path / "out", fog(limit=2)), tmp_path / "out")
    samples = ManifestSource(manifest.read(report.manifest)).fetch([0, 1], (48, 64))
    assert samples.image.shape == (2, 3, 352, 1216)
    crop = torch.from_numpy(street().astype(np.float32) / 100)[23:375, 13:1229]
    near = samples.valid[0]
    assert torch.allclose(samples.depth_m[0][near], crop[near])
    assert samples.intrinsics[0, :2, 2].tolist() == pytest.approx([CX - 13, CY - 23])


def test_near_ground_has_its_normal_and_sky_has_none():
    codes = street()
    found = vkitti.normals(codes)
    assert np.array_equal(np.isnan(found).all(axis=-1), codes == 65535)
    near = found[-100:].astype(np.float64)  # farther away a centimetre is more than a pixel's step
    middle = near.reshape(-1, 3).mean(axis=0)
    assert np.degrees(np.arccos(middle @ GROUND / np.linalg.norm(middle))) < 1.0


def test_stored_normals_are_those_computed_to_sixteen_bits(root, tmp_path):
    made = manifest.read(run(plan(root, tmp_path / "o", fog(limit=1)), tmp_path / "o").manifest)
    path = made.rows[0].normals
    assert path is not None
    expected = tmp_path / "o/normals/Scene18/fog/frames/normal/Camera_0/normal_00000.png"
    assert path.resolve() == expected.resolve()
    stored, about = read_normals(path)
    computed = vkitti.normals(street())
    assert about["frame"] == "opencv"
    assert np.array_equal(np.isnan(stored), np.isnan(computed))
    assert np.nanmax(np.abs(stored - computed)) < 5e-5


def test_without_normals_nothing_is_written_but_the_manifest(root, tmp_path):
    report = run(plan(root, tmp_path / "o", fog(normals="none")), tmp_path / "o")
    assert report.rows == 4
    assert {path.name for path in (tmp_path / "o").iterdir()} == {
        "manifest.jsonl",
        "prepared.jsonl",
    }
    assert all(row.normals is None for row in manifest.read(report.manifest).rows)


def test_broken_frames_are_named_and_left_out(root, tmp_path):
    depth = root / "vkitti_2.0.3_depth/Scene18/fog/frames/depth"
    (depth / "Camera_0/depth_00001.png").unlink()
    write_bytes(depth / "Camera_1/depth_00000.png", b"\x89PNG\r\n\x1a\n")
    vkitti_frame(tmp_path / "small", "Scene18", "fog", codes=np.ones((8, 8), np.uint16))
    small = tmp_path / "small/vkitti_2.0.3_depth/Scene18/fog/frames/depth/Camera_0/depth_00000.png"
    write_bytes(depth / "Camera_1/depth_00001.png", small.read_bytes())
    report = run(plan(root, tmp_path / "o", fog()), tmp_path / "o")
    assert report.rows == 1
    reasons = ["no such file", "not a 16-bit PNG", "expected [375, 1242, 1] codes, got [8, 8, 1]"]
    for line, reason in zip(report.broken, reasons, strict=True):
        assert line.startswith("Scene18/fog/Camera_")
        assert reason in line


def test_the_split_is_the_selections(root, tmp_path):
    for camera in (0, 1):
        vkitti_frame(root, "Scene01", "morning", camera)
        vkitti_frame(root, "Scene18", "morning", camera)
    both = Choice(scenes=("Scene01", "Scene18"), conditions=("morning",))

    def splits(**changes):
        chosen = Choice(**{**vars(both), **changes})
        return [job.row.split for job in plan(root, tmp_path, chosen).jobs]

    assert splits() == ["train"] * 4
    assert splits(selection="marigold") == ["val", "val", "train", "train"]
    assert splits(selection="marigold", split="val") == ["val", "val"]
    with pytest.raises(SettingError, match="no frame of split 'val' in the selection paper"):
        splits(split="val")


def test_a_list_names_its_frames_and_excludes_other_choices(root, tmp_path):
    line = "rgb/Scene18/fog/frames/rgb/Camera_1/rgb_00001.jpg depth/x.png"
    (tmp_path / "l.txt").write_text(line)
    chosen = plan(root, tmp_path, Choice(file_list=tmp_path / "l.txt"))
    assert [job.name for job in chosen.jobs] == ["Scene18/fog/Camera_1/00001"]
    assert chosen.notes == ()
    with pytest.raises(SettingError, match="leave scenes and conditions out"):
        plan(root, tmp_path, fog(file_list=tmp_path / "l.txt"))


def test_a_short_series_is_noted_and_an_absent_one_refused(root, tmp_path):
    notes = plan(root, tmp_path, fog()).notes
    assert notes == tuple(f"Scene18/fog/Camera_{k}: 2 of 339 frames" for k in (0, 1))
    with pytest.raises(InputError, match=r"Scene01.*no images"):
        plan(root, tmp_path, Choice())
