from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from official_trees import hypersim_cameras

from monostep.data.prepare import depth_codes, hdf5, hypersim_camera
from monostep.errors import InputError

DATA = Path(__file__).parents[4] / "shared" / "data"
OFFICIAL = DATA / "lists" / "hypersim" / "metadata_camera_parameters.csv"
SIZE = (12, 16)


def rotation(angles):
    x, y, z = angles
    about_x = [[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]]
    about_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    about_z = [[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]]
    return np.array(about_z) @ np.array(about_y) @ np.array(about_x)


def tilted(angles=(0.3, -0.1, 0.02), *, scale=1.0, across=0.1, up=-0.2):
    """M_cam_from_uv of a sensor turned against the camera's axes, with a shifted lens."""
    pinhole = np.array([[0.58, 0, across], [0, 0.435, up], [0, 0, -1]])
    return scale * rotation(angles) @ pinhole


def uv(height, width):
    u = (np.arange(width) + 0.5) / width * 2 - 1
    v = 1 - (np.arange(height) + 0.5) / height * 2
    return np.stack([*np.meshgrid(u, v), np.ones((height, width))], axis=-1)


angle = st.floats(-0.6, 0.6)


@settings(deadline=None)
@given(st.tuples(angle, angle, angle), st.floats(0.2, 5))
def test_points_are_those_of_the_matrix_turned_into_the_sensors_axes(angles, scale):
    matrix = tilted(angles, scale=scale)
    camera = hypersim_camera.of_matrix(matrix)
    towards = uv(*SIZE) @ matrix.T  # in the camera's axes
    distance = np.random.default_rng(0).uniform(1, 9, SIZE)
    true = distance[..., None] * towards / np.linalg.norm(towards, axis=-1, keepdims=True)
    points = camera.rays(*SIZE) * camera.depth(distance)[..., None]
    assert np.allclose(points, true @ camera.sensor_from_camera.T, atol=1e-9)
    assert np.allclose(camera.sensor_from_camera @ camera.sensor_from_camera.T, np.eye(3))


def test_rays_are_those_of_the_intrinsics_and_depth_is_at_right_angles_to_the_sensor():
    camera = hypersim_camera.of_matrix(tilted())
    fx, fy, cx, cy = camera.intrinsics_px(*SIZE)
    rays = camera.rays(*SIZE)
    columns, rows = np.meshgrid(np.arange(16) + 0.5, np.arange(12) + 0.5)
    assert np.allclose(rays[..., 0], (columns - cx) / fx)
    assert np.allclose(rays[..., 1], (rows - cy) / fy)
    assert (rays[..., 2] == 1).all()
    assert (cx, cy) != (8, 6)


def test_a_sensor_that_shears_has_no_intrinsics():
    matrix = tilted()
    matrix = matrix @ np.array([[1, 0.002, 0], [0, 1, 0], [0, 0, 1]])
    camera = hypersim_camera.of_matrix(matrix)
    assert camera.intrinsics_px(768, 1024) is None  # a pixel moves by 512 * 0.002
    assert camera.intrinsics_px(96, 128) is not None  # an eighth of it


def test_the_constant_camera_is_the_published_formula():
    width, height, focal = 1024, 768, 886.81
    x = np.linspace(-0.5 * width + 0.5, 0.5 * width - 0.5, width, dtype=np.float32)
    y = np.linspace(-0.5 * height + 0.5, 0.5 * height - 0.5, height, dtype=np.float32)
    plane = np.stack([*np.meshgrid(x, y), np.full((height, width), focal, np.float32)], axis=-1)
    distance = np.random.default_rng(1).uniform(1, 20, (height, width)).astype(np.float32)
    expected = distance / np.linalg.norm(plane, axis=-1) * focal
    found = hypersim_camera.constant().depth(distance)
    assert np.abs(found / expected - 1).max() < 1e-6
    assert hypersim_camera.constant().intrinsics_px(768, 1024) == pytest.approx(
        (886.81, 886.81, 512, 384)
    )


vectors = arrays(np.int8, (12, 16, 3), elements=st.integers(-100, 100))


@settings(deadline=None, max_examples=40)
@given(vectors.map(lambda codes: codes / 100))
def test_normals_face_the_camera_whichever_side_they_were_given_for(normals):
    camera = hypersim_camera.of_matrix(tilted())
    facing = camera.facing(normals)
    known = np.isfinite(facing).all(axis=-1)
    assert np.array_equal(known, np.linalg.norm(normals, axis=-1) > 0)
    assert ((facing * camera.rays(*SIZE)).sum(axis=-1)[known] <= 1e-9).all()
    assert np.allclose(np.linalg.norm(facing[known], axis=-1), 1)
    flipped = camera.facing(-2.0 * normals)
    edge_on = np.abs((facing * camera.rays(*SIZE)).sum(axis=-1)) < 1e-9
    assert np.allclose(flipped[known & ~edge_on], facing[known & ~edge_on])


def test_a_normal_that_is_no_number_is_none():
    normals = np.tile([0.0, 0.0, 1.0], (*SIZE, 1))
    normals[0, 0, 1], normals[0, 1] = np.nan, np.inf
    facing = hypersim_camera.constant().facing(normals.astype(np.float16))
    assert np.isnan(facing[0, :2]).all()
    assert np.array_equal(facing[1, 1], [0, 0, -1])


def test_tables_that_are_none_are_refused(tmp_path):
    hypersim_cameras(tmp_path / "singular.csv", {"a": np.zeros((3, 3))})
    hypersim_cameras(tmp_path / "mirrored.csv", {"a": tilted() @ np.diag([1, 1, -1])})
    (tmp_path / "other.csv").write_text("scene_name,width\nai_001_001,1024\n")
    (tmp_path / "words.csv").write_text((tmp_path / "singular.csv").read_text().replace("0.0", "x"))
    for name in ("singular", "other", "words"):
        with pytest.raises(InputError, match=f"{name}.csv: not Hypersim's camera parameters"):
            hypersim_camera.read(tmp_path / f"{name}.csv")
    with pytest.raises(InputError, match=r"absent\.csv.*constant camera"):
        hypersim_camera.read(tmp_path / "absent.csv")


def test_a_table_reads_back(tmp_path):
    hypersim_cameras(tmp_path / "c.csv", {"ai_001_001": tilted(), "ai_002_001": tilted((0, 0, 0))})
    cameras = hypersim_camera.read(tmp_path / "c.csv")
    expected = hypersim_camera.of_matrix(tilted())
    assert list(cameras) == ["ai_001_001", "ai_002_001"]
    assert np.array_equal(cameras["ai_001_001"].rays_from_uv, expected.rays_from_uv)


def flatness_m(points):
    centred = points.reshape(-1, 3) - points.reshape(-1, 3).mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    return sizes[2] / np.sqrt(len(centred)), axes[2]


@pytest.mark.skipif(not OFFICIAL.is_file(), reason="real data not present")
def test_every_official_camera_has_square_pixels_and_almost_none_shears():
    cameras = hypersim_camera.read(OFFICIAL)
    found = [camera.intrinsics_px(768, 1024) for camera in cameras.values()]
    plain = [each for each in found if each is not None]
    assert (len(found), len(plain)) == (482, 464)
    assert max(abs(fx / fy - 1) for fx, fy, _, _ in plain) < 2e-6
    shifted = [each for each in plain if abs(each[2] - 512) > 1 or abs(each[3] - 384) > 1]
    assert len(shifted) > 200


@pytest.mark.skipif(not OFFICIAL.is_file(), reason="real data not present")
def test_the_floor_of_a_real_frame_is_flat_and_level_with_its_own_camera_only():
    geometry = DATA / "rgbd/hypersim/ai_037_002/images/scene_cam_00_geometry_hdf5"
    distance = hdf5.read(geometry / "frame.0000.depth_meters.hdf5", (768, 1024))
    own = hypersim_camera.read(OFFICIAL)["ai_037_002"]
    constant = hypersim_camera.constant()
    floor = np.s_[696:760, 600:1000]

    def plane(camera, depth_m):
        return flatness_m((camera.rays(*distance.shape) * depth_m[..., None])[floor])

    depth_m = own.depth(distance)
    flat, up = plane(own, depth_m)
    assert flat < 0.0002
    assert plane(constant, constant.depth(distance))[0] > 0.0006
    assert plane(own, depth_codes.encode(depth_m) / depth_codes.PER_M)[0] < 0.0003
    # The architect's camera: sensor and floor are at right angles, to a hundredth of a degree.
    assert np.degrees(np.arccos(min(1.0, abs(up[1])))) < 0.02
    off = np.abs(constant.depth(distance) / depth_m - 1)
    assert 0.02 < off.mean() < 0.03
