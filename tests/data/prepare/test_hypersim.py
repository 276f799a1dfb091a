import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from official_trees import (
    HYPERSIM_SIZE,
    hypersim_cameras,
    hypersim_frame,
    hypersim_splits,
)
from official_trees import hdf5 as write_hdf5
from PIL import Image

from monostep.data import manifest
from monostep.data.frame import load
from monostep.data.prepare import hdf5, hypersim, hypersim_camera
from monostep.data.prepare.hypersim import Choice, plan
from monostep.data.prepare.run import run
from monostep.errors import InputError
from monostep.files import png16

DATA = Path(__file__).parents[4] / "shared" / "data"
SCENE = "ai_001_001"
TILT = 0.3  # the camera looks up by this angle; its sensor stays upright
PINHOLE = np.array([[0.58, 0, 0.1], [0, 0.435, -0.2], [0, 0, -1]])
TURN = np.array([[1, 0, 0], [0, np.cos(TILT), -np.sin(TILT)], [0, np.sin(TILT), np.cos(TILT)]])
MATRIX = TURN @ PINHOLE
WALL = np.array([0.6, -0.2, -0.7746])  # its unit normal, in the sensor's OpenCV axes
WALL /= np.linalg.norm(WALL)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Two frames of a wall in a scene with a shifted lens, and the official tables."""
    folder = tmp_path_factory.mktemp("written")
    hypersim_splits(
        folder / "splits.csv",
        [(SCENE, "cam_00", 0, True, "train"), (SCENE, "cam_00", 7, True, "val")],
    )
    hypersim_cameras(folder / "cameras.csv", {SCENE: MATRIX})
    for number in (0, 7):
        hypersim_frame(folder, SCENE, number=number, **wall(4.0 + number))
    return folder


@pytest.fixture
def root(written, tmp_path):
    """A copy of it, to be changed."""
    return shutil.copytree(written, tmp_path / "official")


def wall(away_m):
    """Distance, normals in the camera's axes on either side, a hole and a far corner."""
    rays = hypersim_camera.of_matrix(MATRIX).rays(*HYPERSIM_SIZE)
    depth_m = -away_m / (rays @ WALL)
    depth_m[:4, :4] = 70.0
    distance_m = depth_m * np.linalg.norm(rays, axis=-1)
    in_camera = TURN @ (WALL * [1, -1, -1])
    side = np.random.default_rng(3).choice([-1, 1], HYPERSIM_SIZE)
    entity = np.ones(HYPERSIM_SIZE, np.int32)
    entity[100:140, 200:260] = -1
    return {
        "depth_meters": distance_m.astype(np.float32),
        "normal_cam": (side[..., None] * in_camera).astype(np.float16),
        "render_entity_id": entity,
        "color": np.linspace(0, 3, 1024 * 768 * 3).reshape(*HYPERSIM_SIZE, 3).astype(np.float16),
    }


def choice(root, **changes) -> Choice:
    tables = {"split_csv": root / "splits.csv", "camera_csv": root / "cameras.csv"}
    return Choice(**{**tables, **changes})


def test_a_wall_comes_back_as_it_stands_in_depth_normals_and_camera(root, tmp_path):
    report = run(plan(root, tmp_path / "out", choice(root)), tmp_path / "out")
    made = manifest.read(report.manifest)
    assert [row.split for row in made.rows] == ["train", "val"]
    frame = load(made.rows[0], made.declaration)
    assert frame.intrinsics is not None
    inverse = frame.intrinsics.double().inverse()
    v, u = torch.meshgrid(torch.arange(768) + 0.5, torch.arange(1024) + 0.5, indexing="ij")
    rays = torch.einsum("ij,jhw->ihw", inverse, torch.stack([u, v, torch.ones_like(u)]).double())
    to_wall = ((rays * frame.depth_m) * torch.from_numpy(WALL)[:, None, None]).sum(0) + 4.0
    surface = frame.valid
    assert to_wall[surface].abs().max() < 0.0006  # millimetres, rounded
    off = (frame.normals - torch.from_numpy(WALL)[:, None, None]).norm(dim=0)
    assert torch.rad2deg(off[surface]).max() < 0.06  # half floats
    assert not surface[100:140, 200:260].any()
    assert not surface[:4, :4].any()  # 70 m; a cast would make it 4.464 m
    assert surface.sum() == 768 * 1024 - 40 * 60 - 16


def test_the_constant_camera_bends_the_wall(root, tmp_path):
    plans = [plan(root, tmp_path / "out", choice(root, camera_csv=None, limit=1))]
    made = manifest.read(run(plans[0], tmp_path / "out").manifest)
    assert plans[0].settings["camera"] == "constant"
    assert made.rows[0].intrinsics_px == pytest.approx((886.81, 886.81, 512, 384))
    depth_m = load(made.rows[0], made.declaration).depth_m.numpy()
    distance_m = wall(4.0)["depth_meters"]
    expected = hypersim_camera.constant().depth(distance_m)
    known = depth_m > 0
    assert np.abs(depth_m - expected)[known].max() < 0.0006


def test_files_are_sixteen_bits_where_it_matters(root, tmp_path):
    run(plan(root, tmp_path / "out", choice(root, limit=1)), tmp_path / "out")
    folder = tmp_path / "out" / SCENE
    depth = png16.decode((folder / "depth_plane_cam_00_fr0000.png").read_bytes())
    normals = png16.decode((folder / "normal_cam_00_fr0000.png").read_bytes())
    assert depth.pixels.shape == (768, 1024, 1)
    assert (depth.pixels[100:140, 200:260] == 0).all()
    assert '"frame": "opencv"' in normals.text["monostep"]
    with Image.open(folder / "rgb_cam_00_fr0000.png") as image:
        assert (image.mode, image.size) == ("RGB", (1024, 768))


def test_facts_are_those_of_the_files(root, tmp_path):
    facts = plan(root, tmp_path / "out", choice(root)).jobs[0].prepare()
    assert facts is not None
    assert facts.invalid == pytest.approx((40 * 60 + 16) / (768 * 1024))
    depth = png16.decode((tmp_path / "out" / SCENE / "depth_plane_cam_00_fr0000.png").read_bytes())
    codes = depth.pixels[depth.pixels > 0]
    assert (facts.least_m, facts.most_m) == (codes.min() / 1000, codes.max() / 1000)
    with Image.open(tmp_path / "out" / SCENE / "rgb_cam_00_fr0000.png") as image:
        assert (facts.darkest, facts.brightest) == (np.min(image), np.max(image))


def test_a_frame_without_any_surface_is_written_and_has_no_depth(root, tmp_path):
    hypersim_frame(root, SCENE, render_entity_id=np.full(HYPERSIM_SIZE, -1, np.int32))
    facts = plan(root, tmp_path / "out", choice(root)).jobs[0].prepare()
    assert facts is not None
    assert (facts.invalid, facts.least_m, facts.most_m) == (1.0, 0.0, 0.0)


def test_previews_stand_in_for_the_normals_and_none_for_neither(root, tmp_path):
    eight = np.full((*HYPERSIM_SIZE, 3), (128, 128, 255), np.uint8)
    place = root / SCENE / "images" / "scene_cam_00_geometry_preview"
    place.mkdir()
    Image.fromarray(eight).save(place / "frame.0000.normal_cam.png")
    chosen = choice(root, normals="preview", limit=1, camera_csv=None)
    made = manifest.read(run(plan(root, tmp_path / "p", chosen), tmp_path / "p").manifest)
    found = load(made.rows[0], made.declaration).normals[:, 400, 500]
    assert torch.allclose(found, torch.tensor([0, 0, -1.0]), atol=0.006)
    bare = choice(root, normals="none", limit=1)
    made = manifest.read(run(plan(root, tmp_path / "n", bare), tmp_path / "n").manifest)
    assert made.rows[0].normals is None
    assert not list((tmp_path / "n").rglob("normal_*"))
    missing = plan(root, tmp_path / "m", choice(root, normals="preview")).jobs[1]
    with pytest.raises(InputError, match=r"frame\.0007\.normal_cam\.png: no such file"):
        missing.prepare()


def test_a_file_that_is_missing_or_of_another_size_breaks_its_frame_alone(root, tmp_path):
    geometry = root / SCENE / "images" / "scene_cam_00_geometry_hdf5"
    (geometry / "frame.0000.render_entity_id.hdf5").unlink()
    report = run(plan(root, tmp_path / "out", choice(root)), tmp_path / "out")
    assert report.rows == 1
    assert len(report.broken) == 1
    assert report.broken[0].startswith(f"{SCENE}/cam_00/0000: ")
    assert "render_entity_id.hdf5: no such file" in report.broken[0]
    write_hdf5(geometry / "frame.0000.render_entity_id.hdf5", np.ones((3, 4)))
    with pytest.raises(InputError, match=r"expected numbers \[768, 1024\], got float64 \[3, 4\]"):
        plan(root, tmp_path / "out", choice(root)).jobs[0].prepare()


def test_the_choice_of_frames(root, tmp_path):
    def names(**changes):
        return [job.name for job in plan(root, tmp_path, choice(root, **changes)).jobs]

    both = [f"{SCENE}/cam_00/0000", f"{SCENE}/cam_00/0007"]
    (tmp_path / "l.txt").write_text(f"{SCENE}/rgb_cam_00_fr0007.png x.png")
    assert names() == both
    assert names(limit=1) == both[:1]
    assert names(split="val") == names(file_list=tmp_path / "l.txt") == both[1:]
    hypersim_cameras(root / "cameras.csv", {"ai_009_001": MATRIX})
    with pytest.raises(InputError, match=f"no scene {SCENE}"):
        names()


def test_the_settings_are_those_that_the_files_depend_on(root, tmp_path):
    chosen = choice(root)
    settings = dict(plan(root, tmp_path, chosen).settings)
    camera = settings.pop("camera")
    assert settings == {"dataset": "hypersim", "normals": "hdf5"}
    assert camera.startswith("official ")
    assert plan(root, tmp_path, chosen).settings["camera"] == camera
    assert chosen.camera_csv is not None
    chosen.camera_csv.write_text(chosen.camera_csv.read_text() + "\n")  # another table
    assert plan(root, tmp_path, chosen).settings["camera"] != camera
    assert hypersim.NORMALS == ("hdf5", "preview", "none")


@pytest.mark.skipif(not DATA.is_dir(), reason="real data not present")
def test_the_floor_of_a_real_frame_is_flat_when_read_back(tmp_path):
    scene, folder = "ai_037_002", "images/scene_cam_00_geometry_hdf5"
    name = "frame.0000.depth_meters.hdf5"
    distance = hdf5.read(DATA / "rgbd/hypersim" / scene / folder / name, (768, 1024))
    hypersim_frame(tmp_path, scene, depth_meters=distance)
    hypersim_splits(tmp_path / "splits.csv", [(scene, "cam_00", 0, True, "train")])
    table = DATA / "lists/hypersim/metadata_camera_parameters.csv"

    def flat(camera_csv, output):
        chosen = choice(tmp_path, camera_csv=camera_csv, normals="none")
        made = manifest.read(run(plan(tmp_path, output, chosen), output).manifest)
        frame = load(made.rows[0], made.declaration)
        assert frame.intrinsics is not None
        v, u = torch.meshgrid(torch.arange(768) + 0.5, torch.arange(1024) + 0.5, indexing="ij")
        pixels = torch.stack([u, v, torch.ones_like(u)]).double()
        rays = torch.einsum("ij,jhw->ihw", frame.intrinsics.double().inverse(), pixels)
        points = (rays * frame.depth_m)[:, 696:760, 600:1000].reshape(3, -1)
        centred = points - points.mean(dim=1, keepdim=True)
        return float(torch.linalg.svdvals(centred)[2]) / points.shape[1] ** 0.5

    assert flat(table, tmp_path / "official") < 0.00025
    assert flat(None, tmp_path / "constant") > 0.0006


@pytest.mark.skipif(not DATA.is_dir(), reason="real data not present")
def test_normals_of_a_real_preview_face_the_camera_up_to_their_eight_bits():
    folder = DATA / "rgbd/hypersim/preview_ai_001_001/scene_cam_00_geometry_preview"
    with Image.open(next(folder.glob("*normal_cam.png"))) as image:
        raw = np.asarray(image.convert("RGB")) / 127.5 - 1
    camera = hypersim_camera.read(DATA / "lists/hypersim/metadata_camera_parameters.csv")[SCENE]
    height, width = raw.shape[:2]
    towards = (raw * [1, -1, -1] * camera.rays(height, width)).sum(axis=-1)
    facing = camera.facing(raw)
    assert (towards < 0.03).mean() > 0.95  # the axes are right: hardly any normal is turned
    assert np.nanmax((facing * camera.rays(height, width)).sum(axis=-1)) <= 1e-12
