import json

import numpy as np
import pytest
from PIL import Image
from skimage import io

from monostep.errors import InputError, OutputError
from monostep.files.map_layout import DEPTH, NORMALS
from monostep.files.map_png import read_png, write_png

RNG = np.random.default_rng(0)


def chunk(path):
    with Image.open(path) as image:
        return json.loads(image.text["monostep"])


def float32_ulp(values):
    return np.spacing(np.nanmax(np.abs(values)).astype(np.float32))


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.2, 0.3), (1.6, 60), (-5, 5), (-1e30, 1e30), (7, 7), (1e-9, 2e-9)]
)
@pytest.mark.parametrize("holes", [False, True])
def test_depth_is_kept_within_half_a_step(tmp_path, low, high, holes):
    values = RNG.uniform(low, high, (30, 40)).astype(np.float32)
    values[0, :2] = low, high
    if holes:
        values[1, :3] = np.nan, np.inf, -np.inf
    path = tmp_path / "a.png"
    write_png(path, values, {"unit": "m"}, DEPTH)
    back, about = read_png(path, DEPTH)
    known = np.isfinite(values)
    bound = chunk(path)["scale"] / 2 + float32_ulp(values[known])
    assert about == {"unit": "m"}
    assert np.abs(back[known] - values[known]).max() <= bound
    assert np.isnan(back[~known]).all()
    assert ("invalid_code" in chunk(path)) == holes


def test_the_text_chunk_says_how_any_reader_gets_the_values(tmp_path):
    values = RNG.uniform(2, 9, (30, 40)).astype(np.float32)
    path = tmp_path / "a.png"
    write_png(path, values, {}, DEPTH)
    facts, codes = chunk(path), io.imread(path)
    assert codes.dtype == np.uint16
    assert np.abs(facts["offset"] + facts["scale"] * codes - values).max() <= facts["scale"]


def test_depths_within_0_to_1_share_one_scale(tmp_path):
    for low, high in ((0, 1), (0.4, 0.5)):
        values = np.array([[low, high]], np.float32)
        write_png(tmp_path / "a.png", values, {}, DEPTH)
        facts = chunk(tmp_path / "a.png")
        assert (facts["scale"], facts["offset"]) == (1 / 65535, 0)


def test_a_map_of_holes_comes_back_as_holes(tmp_path):
    write_png(tmp_path / "a.png", np.full((2, 3), np.nan, np.float32), {}, DEPTH)
    assert np.isnan(read_png(tmp_path / "a.png", DEPTH)[0]).all()


def test_normals_are_kept_below_three_thousandths_of_a_degree(tmp_path):
    normals = RNG.normal(size=(100, 100, 3))
    normals = (normals / np.linalg.norm(normals, axis=-1, keepdims=True)).astype(np.float32)
    path = tmp_path / "a.png"
    write_png(path, normals, {"frame": "opencv"}, NORMALS)
    back, about = read_png(path, NORMALS)
    chord = np.linalg.norm(back - normals.astype(np.float64), axis=-1)
    assert np.degrees(2 * np.arcsin(chord / 2)).max() < 0.003
    np.testing.assert_allclose(np.linalg.norm(back, axis=-1), 1, atol=1e-6)
    assert about == {"frame": "opencv"}
    assert (chunk(path)["scale"], chunk(path)["offset"]) == (2 / 65535, -1)


def test_normals_without_direction_are_told_from_unknown_ones(tmp_path):
    normals = np.zeros((2, 3, 3), np.float32)
    normals[0, 0] = np.nan
    normals[0, 1] = 0, 0, -1
    write_png(tmp_path / "a.png", normals, {}, NORMALS)
    back, _ = read_png(tmp_path / "a.png", NORMALS)
    assert np.isnan(back[0, 0]).all()
    np.testing.assert_allclose(back[0, 1], [0, 0, -1], atol=1e-4)
    assert (back[1] == 0).all()


def test_vectors_that_are_no_normals_are_refused(tmp_path):
    with pytest.raises(OutputError, match="unit length"):
        write_png(tmp_path / "a.png", np.full((2, 2, 3), 2, np.float32), {}, NORMALS)


def test_a_description_may_not_hide_the_scale(tmp_path):
    with pytest.raises(OutputError, match="scale"):
        write_png(tmp_path / "a.png", np.zeros((2, 2), np.float32), {"scale": 3}, DEPTH)


def test_a_png_that_does_not_say_its_scale_is_refused(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.zeros((2, 2), np.uint16)).save(path)
    with pytest.raises(InputError, match=r"a\.png: no text chunk 'monostep'"):
        read_png(path, DEPTH)
