import numpy as np
import pytest
from PIL import Image

from monostep.files.preview import depth_preview, normals_preview, side_by_side, write_png8

RED, VIOLET = (0x9E, 0x01, 0x42), (0x5E, 0x4F, 0xA2)
RAMP = np.linspace(2, 9, 200, dtype=np.float32).reshape(10, 20)


def test_near_is_red_and_far_is_violet_whatever_near_means():
    depth, disparity = depth_preview(RAMP), depth_preview(RAMP, near="large")
    assert tuple(depth[0, 0]) == tuple(disparity[-1, -1]) == RED
    assert tuple(depth[-1, -1]) == tuple(disparity[0, 0]) == VIOLET


def test_scale_and_shift_change_no_colour():
    assert (depth_preview(RAMP) == depth_preview(RAMP * 8 + 64)).all()


def test_what_is_invalid_is_black_and_moves_no_colour():
    holed, valid = RAMP.copy(), np.ones(RAMP.shape, bool)
    holed[5, :3] = np.nan, np.inf, 1e9
    valid[5, 2] = False
    picture = depth_preview(holed, valid)
    assert (picture[5, :3] == 0).all()
    others = np.isfinite(holed) & valid
    assert np.abs(picture[others].astype(int) - depth_preview(RAMP)[others]).max() <= 4


@pytest.mark.parametrize("value", [0.0, 5.0, -1e30])
def test_a_constant_map_has_one_colour(value):
    picture = depth_preview(np.full((3, 4), value, np.float32))
    assert (picture == RED).all()


def test_a_map_of_holes_is_black():
    assert (depth_preview(np.full((3, 4), np.nan, np.float32)) == 0).all()


@pytest.mark.parametrize(
    ("opencv", "colour"),
    [
        ((0, 0, -1), (128, 128, 255)),  # faces the camera
        ((1, 0, 0), (255, 128, 128)),  # faces right
        ((0, -1, 0), (128, 255, 128)),  # a floor, facing up
        ((np.nan, 0, 0), (0, 0, 0)),
    ],
)
def test_normals_are_coloured_x_right_y_up_z_to_the_viewer(opencv, colour):
    values = np.array([[opencv]], np.float32)
    assert tuple(normals_preview(values)[0, 0]) == colour
    assert (normals_preview(values, np.array([[False]])) == 0).all()


def test_pictures_stand_side_by_side_at_the_first_ones_height():
    pictures = [np.full((h, w, 3), 9, np.uint8) for h, w in ((10, 20), (10, 5), (20, 30))]
    row = side_by_side(*pictures)
    assert row.shape == (10, 20 + 8 + 5 + 8 + 15, 3)
    assert (row[:, 20:28] == 255).all()
    assert (row[:, :20] == 9).all()
    np.testing.assert_array_equal(side_by_side(pictures[0]), pictures[0])


def test_a_picture_survives_its_file(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    write_png8(tmp_path / "new" / "a.png", pixels)
    with Image.open(tmp_path / "new" / "a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), pixels)
