import numpy as np
import pytest
import tiny_models
import torch
from PIL import Image

import monostep
from monostep.errors import CheckpointError, InputError, SettingError
from monostep.predictor import as_tensor


@pytest.fixture(scope="module")
def depth(tmp_path_factory):
    folder = tmp_path_factory.mktemp("depth")
    tiny_models.depth_folder(folder)
    return monostep.load(folder)


@pytest.fixture(scope="module")
def normals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("normals")
    tiny_models.normals_folder(folder)
    return monostep.load(folder)


def _photo(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (37, 53), (64, 48), (400, 3)])
def test_results_lie_on_the_inputs_own_grid(depth, normals, size):
    values = depth(_photo(*size)).values
    assert values.shape == size
    assert values.dtype == np.float32
    assert values.min() >= 0
    assert values.max() <= 1
    vectors = normals(_photo(*size)).values
    assert vectors.shape == (*size, 3)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=2), 1, atol=1e-5)


def test_every_kind_of_input_gives_the_same_depth(depth, tmp_path):
    pixels = _photo(20, 30)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    tensor = torch.from_numpy(pixels).permute(2, 0, 1)
    expected = depth(pixels).values
    others = [
        str(tmp_path / "photo.png"),
        tmp_path / "photo.png",
        Image.fromarray(pixels),
        tensor,
        tensor.float() / 255,
        pixels.astype(np.float32) / 255,
        pixels.astype(np.uint16) * 257,
    ]
    for other in others:
        np.testing.assert_allclose(depth(other).values, expected, atol=2e-6)


def test_a_list_keeps_its_order_and_batch_mates_do_not_matter(depth):
    photos = [_photo(20, 30), _photo(31, 17, 1), _photo(20, 30, 2)]
    together = [result.values for result in depth(photos)]
    assert [values.shape for values in together] == [(20, 30), (31, 17), (20, 30)]
    others = [photos[0], _photo(40, 40, 3), _photo(20, 30, 4)]
    assert np.array_equal(depth(others)[0].values, together[0])
    for photo, values in zip(photos, together, strict=True):
        np.testing.assert_allclose(depth(photo).values, values, atol=1e-5)


def test_a_batch_tensor_gives_a_list(depth):
    results = depth(torch.rand(2, 3, 16, 20))
    assert [result.values.shape for result in results] == [(16, 20)] * 2


def test_two_predictions_are_equal_to_the_bit(depth):
    assert np.array_equal(depth(_photo(33, 44)).values, depth(_photo(33, 44)).values)


def test_normals_come_in_opencv_axes_and_the_result_says_so(normals):
    result = normals(_photo(16, 16))
    assert result.frame == "opencv"
    assert result.about()["axes"] == "x right, y down, z into the scene"


def test_reduced_precision_is_near_float32(depth, tmp_path):
    tiny_models.depth_folder(tmp_path)
    half = monostep.load(tmp_path, dtype="bf16")
    photo = _photo(32, 32)
    assert half(photo).provenance["dtype"] == "bfloat16"
    np.testing.assert_allclose(half(photo).values, depth(photo).values, atol=0.05)


def test_the_network_is_an_ordinary_differentiable_module(depth):
    image = torch.zeros(1, 3, 16, 16, requires_grad=True)
    depth.network(image).sum().backward()
    assert torch.isfinite(image.grad).all()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"steps": 4}, "steps 4: .* runs with steps 1 only"),
        ({"fit": "stretch"}, "fit 'stretch'"),
        ({"spacing": "leading"}, "spacing 'leading'"),
        ({"ensemble": 5}, "ensemble 5"),
        ({"noise": "gaussian"}, "noise 'gaussian'"),
        ({"resolution": -1}, "resolution -1: expected 0"),
    ],
)
def test_a_setting_that_the_model_has_not_is_refused(depth, setting, message):
    with pytest.raises(SettingError, match=message):
        depth(_photo(8, 8), **setting)


def test_resolution_changes_what_the_network_sees_but_not_the_grid(depth):
    photo = _photo(40, 60)
    small, native = depth(photo, resolution=16).values, depth(photo, resolution=0).values
    assert small.shape == native.shape == (40, 60)
    assert not np.allclose(small, native)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(4, 8, 8), r"shape \(4, 8, 8\)"),
        (torch.zeros(3, 0, 8), "expected"),
        (torch.zeros(3, 8, 8, dtype=torch.int64), "int64"),
        (torch.full((3, 8, 8), 2.0), r"expected \[0, 1\]"),
        (torch.full((3, 8, 8), float("nan")), r"expected \[0, 1\]"),
        ("no such photo.jpg", "no such photo.jpg"),
    ],
)
def test_an_image_that_cannot_be_used_is_one_clear_line(image, message):
    with pytest.raises(InputError, match=message) as error:
        as_tensor(image)
    assert "\n" not in str(error.value)


def test_a_bad_model_device_or_dtype_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="neither an embedded model"):
        monostep.load("no-model")
    with pytest.raises(CheckpointError, match=r"card\.json"):
        monostep.load(tmp_path)
    tiny_models.depth_folder(tmp_path)
    with pytest.raises(SettingError, match="device 'gpu'"):
        monostep.load(tmp_path, device="gpu")
    with pytest.raises(SettingError, match="dtype 'int8'"):
        monostep.load(tmp_path, dtype="int8")
