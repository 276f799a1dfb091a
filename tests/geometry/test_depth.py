import json

import numpy as np
import pytest
import torch

from monostep.errors import OutputError, ScaleError
from monostep.files import maps
from monostep.geometry.depth import Depth

VALUES = torch.linspace(0, 1, 35).reshape(5, 7)


def test_values_are_the_tensor_as_float32_numpy():
    depth = Depth(tensor=VALUES.double().requires_grad_())
    assert depth.values.dtype == np.float32
    np.testing.assert_array_equal(depth.values, VALUES.numpy())


@pytest.mark.parametrize(
    ("invariance", "unit", "words"),
    [("affine", None, "scale and shift"), ("scale", None, "up to scale"), ("metric", None, "unit")],
)
def test_metres_of_a_map_without_scale_are_refused_with_the_ways_to_get_one(
    invariance, unit, words
):
    depth = Depth(tensor=VALUES, invariance=invariance, unit=unit)
    with pytest.raises(ScaleError, match=words) as error:
        _ = depth.metres
    for way in ("least-squares fit", "depth sensor", "metric model"):
        assert way in str(error.value)


def test_a_metric_map_has_metres():
    depth = Depth(tensor=VALUES, invariance="metric", unit="m")
    np.testing.assert_array_equal(depth.metres, VALUES.numpy())


@pytest.mark.parametrize("ending", ["npy", "npz", "png", "tiff", "exr"])
def test_what_is_saved_is_read_back_with_its_description(tmp_path, ending):
    depth = Depth(tensor=VALUES, provenance={"model": "x"})
    path = tmp_path / f"a.depth.{ending}"
    depth.save(path)
    values, about = maps.read_depth(path)
    if ending == "npy":
        about = json.loads(path.with_suffix(".json").read_text())
    np.testing.assert_allclose(values, depth.values, atol=0 if ending != "png" else 1e-5)
    assert about == depth.about()
    assert about["invariance"] == "affine"
    assert about["provenance"] == {"model": "x"}


def test_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(OutputError, match=r"\.npy"):
        Depth(tensor=VALUES).save(str(tmp_path / "a.jpg"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("quantity", "near"),
    [
        ("depth", "small"),
        ("log_depth", "small"),
        ("disparity", "large"),
        ("sqrt_disparity", "large"),
    ],
)
def test_the_description_says_which_values_are_near(quantity, near):
    assert Depth(tensor=VALUES, quantity=quantity).about()["near"] == near


def test_the_preview_shows_near_in_red_and_invalid_in_black():
    valid = torch.ones(5, 7, dtype=torch.bool)
    valid[2, 3] = False
    near_first = Depth(tensor=VALUES, valid=valid).preview()
    red, _, blue = near_first[0, 0].astype(int)
    assert red > blue
    assert not near_first[2, 3].any()
    near_last = Depth(tensor=VALUES, quantity="disparity").preview()
    np.testing.assert_array_equal(near_last[-1, -1], near_first[0, 0])
