import math

import numpy as np
import pytest
from scripts.furnished import render, sensor
from scripts.furnished.camera import Camera
from scripts.furnished.lights import Light, Lighting
from scripts.furnished.surfaces import Builder, Material, linear

pytest.importorskip("embreex")

from scripts.furnished.scene import Scene
from scripts.furnished.supports import levels

SIZE = (24, 32)
ROOM = np.array([4.0, 2.5, 5.0])


def camera(position=(2.0, 1.5, 1.0), *, yaw=0.0, pitch=0.0, roll=0.0):
    angles = {"yaw": yaw, "pitch": pitch, "roll": roll, "view": math.radians(60)}
    return Camera.looking(np.array(position), **angles, size=SIZE)


@pytest.fixture(scope="module")
def empty():
    """A bare room with a light under the ceiling."""
    builder = Builder()
    builder.texture(np.full((128, 128, 3), 255, np.uint8))
    builder.box(np.zeros(3), ROOM, builder.add(Material(colour=np.full(3, 0.5, np.float32))))
    light = Light(
        corner=np.array([1.8, 2.49, 2.3]),
        a=np.array([0.4, 0, 0]),
        b=np.array([0, 0, 0.4]),
        normal=np.array([0.0, -1.0, 0.0]),
        radiance=np.full(3, 10.0),
    )
    return Scene(builder, Lighting(lights=(light,), sun=None, sun_light=np.zeros(3)))


@pytest.mark.parametrize("angles", [{}, {"pitch": -0.4}, {"pitch": 0.1, "roll": 0.1}])
def test_the_axes_are_right_down_and_forward(angles):
    axes = camera(**angles).axes
    assert np.allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.allclose(np.cross(axes[0], axes[1]), axes[2])
    assert axes[1, 1] < -0.8  # down


def test_a_wall_straight_ahead_has_one_depth_and_looks_at_the_camera(empty):
    picture = render.render(empty, camera(), np.random.default_rng(0))
    middle = (slice(10, 14), slice(12, 20))
    assert np.allclose(picture.depth_m[middle], 4.0, atol=1e-4)
    assert np.allclose(picture.normals[middle], (0, 0, -1), atol=1e-5)


@pytest.mark.parametrize("roll", [0.0, 0.1])
def test_depth_and_normals_of_the_floor_are_those_of_its_plane(empty, roll):
    looking = camera(pitch=-0.5, roll=roll)
    picture = render.render(empty, looking, np.random.default_rng(0))
    normal = looking.axes @ [0, 1, 0]  # up, in the camera's frame
    rays = looking.rays(looking.points()) @ looking.axes.T
    expected = (-1.5 / (rays @ normal)).reshape(SIZE)
    assert np.allclose(picture.depth_m[-6:], expected[-6:], rtol=1e-4)
    assert np.allclose(picture.normals[-6:], normal, atol=1e-5)
    fx, fy, cx, cy = looking.intrinsics()
    pixel = rays[5] / rays[5, 2]
    assert np.allclose((pixel[0] * fx + cx, pixel[1] * fy + cy), looking.points()[5], atol=1e-4)


def test_normals_are_unit_and_face_the_camera(empty):
    looking = camera(yaw=0.7, pitch=-0.2)
    picture = render.render(empty, looking, np.random.default_rng(0))
    rays = (looking.rays(looking.points()) @ looking.axes.T).reshape(*SIZE, 3)
    assert np.allclose(np.linalg.norm(picture.normals, axis=2), 1, atol=1e-5)
    assert ((picture.normals * rays).sum(2) < 0).all()


def test_light_is_finite_and_brighter_below_the_lamp(empty):
    below = render.render(empty, camera((2, 1.5, 2.5), pitch=-1.2), np.random.default_rng(0))
    aside = render.render(empty, camera((0.6, 1.5, 0.6), pitch=-1.2), np.random.default_rng(0))
    assert np.isfinite(below.light).all() and (below.light >= 0).all()
    assert below.light.mean() > 1.5 * aside.light.mean() > 0


def test_smoothing_keeps_what_is_even_and_keeps_surfaces_apart(empty):
    looking = camera(pitch=-0.3)
    rays = looking.rays(looking.points())
    hits = empty.trace(np.tile(looking.position.astype(np.float32), (len(rays), 1)), rays)
    flat = np.ones((len(rays), 3), np.float32)
    assert np.allclose(render.smoothed(flat, hits, SIZE), 1)
    floor = (np.abs(hits.normal[:, 1]) > 0.9).astype(np.float32)[:, None] * flat
    assert np.allclose(render.smoothed(floor, hits, SIZE), floor, atol=1e-6)


def test_a_ray_between_pixels_finds_the_pixel_of_its_surface(empty):
    looking = camera(pitch=-0.3)
    points = looking.points()
    origins = np.tile(looking.position.astype(np.float32), (len(points), 1))
    hits = empty.trace(origins, looking.rays(points))
    other = empty.trace(origins, looking.rays(np.add(points, (0.3, 0.4))))
    match = render.matching(hits, other, SIZE, 0.3, 0.4)
    same = (hits.normal[match] * other.normal).sum(1) > 0.99
    assert same.mean() > (hits.normal * other.normal).sum(1).__gt__(0.99).mean()
    assert same[: -SIZE[1]].all()


def test_a_level_is_where_a_box_ends_and_has_air_above():
    builder = Builder()
    material = builder.add(Material(colour=np.ones(3, np.float32)))
    builder.box([0, 0, 0], [0.8, 0.5, 0.4], material)
    builder.box([0, 0.9, 0], [0.8, 1.0, 0.4], material)  # a board above
    from scripts.furnished.plain_models import _finished

    heights, air = levels(_finished(builder))
    seen = np.isfinite(heights)
    assert heights.shape[1:] == (10, 20)
    assert set(np.round(heights[seen], 3)) == {np.float32(0.5), np.float32(1.0)}
    assert np.allclose(air[np.isclose(heights, 0.5)], 0.4, atol=1e-4)


def test_linear_light_undoes_srgb():
    codes = np.linspace(0, 1, 11)
    light = linear(codes)
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.allclose(encoded, codes, atol=1e-4)


def test_a_photograph_is_a_picture_of_middling_brightness_whatever_the_light():
    rng = np.random.default_rng(0)
    light = rng.random((24, 32, 3))
    for strength in (1e-3, 1.0, 1e3):
        means = [sensor.photograph(light * strength, rng).mean() for _ in range(5)]
        assert 50 < np.mean(means) < 215
