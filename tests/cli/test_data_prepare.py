import numpy as np
import pytest
import typer
from official_trees import (
    HYPERSIM_SIZE,
    hypersim_cameras,
    hypersim_frame,
    hypersim_splits,
    vkitti_frame,
)
from typer.testing import CliRunner

from monostep.cli.data_prepare import prepare
from monostep.cli.exit_codes import SOME_FAILED
from monostep.data import manifest
from monostep.errors import SettingError

SCENE = "ai_001_001"
MATRIX = [[0.58, 0, 0.1], [0, 0.435, -0.2], [0, 0, -1]]


def run(*arguments):
    app = typer.Typer()
    app.command()(prepare)
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    if isinstance(result.exception, Exception):
        raise result.exception
    return result


@pytest.fixture
def hypersim(tmp_path):
    root = tmp_path / "hypersim"
    root.mkdir()
    rows = [(SCENE, "cam_00", number, True, "train") for number in (0, 1)]
    hypersim_splits(root / "metadata_images_split_scene_v1.csv", rows)
    hypersim_cameras(root / "metadata_camera_parameters.csv", {SCENE: MATRIX})
    hypersim_frame(root, SCENE, number=0)
    hypersim_frame(
        root,
        SCENE,
        number=1,
        color=np.linspace(0, 1, 3 * 768 * 1024).reshape(*HYPERSIM_SIZE, 3).astype(np.float16),
        depth_meters=np.tile(np.linspace(1, 9, 1024, dtype=np.float16), (768, 1)),
    )
    return root


def test_hypersim_with_what_lies_in_its_folder(hypersim, tmp_path):
    out = tmp_path / "out"
    first = run("hypersim", hypersim, "-o", out)
    assert first.exit_code == 0
    assert first.output == f"{out}/manifest.jsonl: 2 images, 2 prepared, 0 there already\n"
    assert "0 prepared, 2 there already" in run("hypersim", hypersim, "-o", out).output
    expected = (512 / 0.58, 384 / 0.435, 512 - 512 * 0.1 / 0.58, 384 - 384 * 0.2 / 0.435)
    assert manifest.read(out).rows[0].intrinsics_px == pytest.approx(expected)
    filtered = run("hypersim", hypersim, "-o", out, "--filter", "-q")
    assert filtered.output == ""
    assert [row.image.name for row in manifest.read(out).rows] == ["rgb_cam_00_fr0001.png"]


def test_the_constant_camera_needs_no_table_of_cameras(hypersim, tmp_path):
    (hypersim / "metadata_camera_parameters.csv").unlink()
    run("hypersim", hypersim, "-o", tmp_path / "o", "--camera", "constant", "--normals", "none")
    row = manifest.read(tmp_path / "o").rows[0]
    assert row.intrinsics_px == pytest.approx((886.81, 886.81, 512, 384))
    assert row.normals is None


def test_a_broken_frame_is_named_and_the_exit_code_says_so(hypersim, tmp_path):
    geometry = hypersim / SCENE / "images" / "scene_cam_00_geometry_hdf5"
    (geometry / "frame.0000.depth_meters.hdf5").write_bytes(b"torn")
    result = run("hypersim", hypersim, "-o", tmp_path / "o")
    assert result.exit_code == SOME_FAILED
    assert f"monostep: {SCENE}/cam_00/0000: " in result.stderr
    assert result.stdout.endswith("1 images, 1 prepared, 0 there already, 1 broken\n")
    assert len(manifest.read(tmp_path / "o").rows) == 1


def test_vkitti_with_its_selection(tmp_path):
    root, out = tmp_path / "vkitti", tmp_path / "out"
    for scene in ("Scene01", "Scene20"):
        for camera in (0, 1):
            vkitti_frame(root, scene, "clone", camera)
    some = ["--condition", "clone", "--scene", "Scene01", "--scene", "Scene20"]
    result = run("vkitti", root, "-o", out, "--selection", "marigold", *some, "--limit", 3)
    assert "monostep: Scene01/clone/Camera_0: 1 of 447 frames" in result.stderr
    assert [row.split for row in manifest.read(out).rows] == ["val", "val", "train"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["kitti"], "data set 'kitti': choose hypersim or vkitti"),
        (["hypersim", "--condition", "fog"], "--condition means nothing for hypersim"),
        (["hypersim", "--selection", "paper"], "--selection means nothing for hypersim"),
        (["hypersim", "--camera", "own"], "--camera 'own': choose official or constant"),
        (["hypersim", "--normals", "d2nt"], "--normals 'd2nt': choose hdf5 or preview or none"),
        (
            ["hypersim", "--camera", "constant", "--camera-csv", "c.csv"],
            "--camera-csv means nothing for the constant camera",
        ),
        (["vkitti", "--filter"], "--filter means nothing for vkitti"),
        (["vkitti", "--split-csv", "s.csv"], "--split-csv means nothing for vkitti"),
        (["vkitti", "--selection", "mine"], "--selection 'mine': choose paper or marigold"),
        (["vkitti", "--normals", "hdf5"], "--normals 'hdf5': choose d2nt or none"),
    ],
)
def test_options_of_the_other_data_set_are_refused(tmp_path, arguments, reason):
    with pytest.raises(SettingError, match=reason):
        run(arguments[0], tmp_path, "-o", tmp_path / "o", *arguments[1:])
    assert not (tmp_path / "o").exists()
