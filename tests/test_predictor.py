import marigold_folders
import numpy as np
import pytest
import tiny_models
import torch
from PIL import Image

import monostep
from monostep.errors import CheckpointError, MonostepWarning, SettingError
from monostep.pictures import as_tensor


@pytest.fixture(scope="module")
def depth(tmp_path_factory):
    folder = tmp_path_factory.mktemp("depth")
    tiny_models.depth_folder(folder)
    return monostep.load(folder, dtype="fp32")


@pytest.fixture(scope="module")
def normals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("normals")
    tiny_models.normals_folder(folder)
    return monostep.load(folder, dtype="fp32")


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
        ({"fit": "stretch"}, "fit 'stretch': choose pad, reference"),
        ({"spacing": "lcm"}, "no consistency model"),
        ({"steps": 0}, "steps 0"),
        ({"noise": "pink"}, "noise 'pink'"),
        ({"resolution": -1}, "resolution -1: expected a whole number from 0 up"),
    ],
)
def test_a_setting_that_the_model_has_not_is_refused(depth, setting, message):
    with pytest.raises(SettingError, match=message):
        depth(_photo(8, 8), **setting)


@pytest.mark.parametrize(
    "setting", [{"steps": 3}, {"noise": "gaussian"}, {"spacing": "leading", "noise": "gaussian"}]
)
def test_what_makes_results_worse_is_a_warning_with_its_cure(depth, setting):
    with pytest.warns(MonostepWarning, match=r"leave .* out|use spacing trailing"):
        depth(_photo(8, 8), **setting)


@pytest.fixture(scope="module")
def marigold(tmp_path_factory):
    folder = tmp_path_factory.mktemp("marigold") / "depth"
    return monostep.load(marigold_folders.write(folder, "marigold-depth-v1-1"), dtype="fp32")


@pytest.fixture(scope="module")
def marigold_normals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("marigold") / "normals"
    written = marigold_folders.write(folder, "marigold-normals-v1-1")
    return monostep.load(written, dtype="fp32")


@pytest.mark.parametrize(
    "setting",
    [
        {},
        pytest.param({"ensemble": 3}, marks=pytest.mark.slow),
        pytest.param({"noise": "pyramid"}, marks=pytest.mark.slow),
        pytest.param({"fit": "reference"}, marks=pytest.mark.slow),
    ],
)
def test_noise_belongs_to_the_image_not_to_order_or_batch(marigold, setting):
    setting = {"steps": 2, "resolution": 0, **setting}
    photos = [_photo(20, 30), _photo(40, 24, 1), _photo(20, 30, 2)]
    forwards = [result.values for result in marigold(photos, **setting)]
    backwards = [result.values for result in marigold(photos[::-1], **setting)]
    for one, other in zip(forwards, backwards[::-1], strict=True):
        assert np.array_equal(one, other)
    tensors = [as_tensor(photo) for photo in photos]
    how = marigold.inference(**setting)
    for at_once in (2, 9):
        batched = marigold.predict(tensors, how, at_once=at_once)
        for one, other in zip(batched, forwards, strict=True):
            np.testing.assert_allclose(one.values, other, atol=1e-5)


def test_the_seed_and_nothing_else_changes_the_noise(marigold):
    photo = _photo(24, 24)
    first, same, other = (marigold(photo, seed=seed, resolution=0).values for seed in (0, None, 1))
    assert np.array_equal(first, same)
    assert not np.allclose(first, other, atol=1e-3)


@pytest.mark.parametrize("fit", ["pad", "reference"])
@pytest.mark.parametrize("members", [1, 3])
def test_uncertainty_comes_with_an_ensemble_at_full_size(marigold, marigold_normals, members, fit):
    asked = dict(steps=1, ensemble=members, resolution=32, fit=fit)
    for model in (marigold, marigold_normals):
        result = model(_photo(37, 53), **asked)
        assert result.tensor.shape[-2:] == (37, 53)
        if members == 1:
            assert result.uncertainty is None
        else:
            assert result.uncertainty.shape == (37, 53)
            assert float(result.uncertainty.min()) >= 0
            assert float(result.uncertainty.max()) > 0


@pytest.mark.parametrize("merge", ["pairwise", "joint"])
def test_depth_ensembles_by_name(marigold, merge):
    values = marigold(_photo(24, 24), ensemble=3, merge=merge, steps=1, resolution=0).values
    assert (values.min(), values.max()) == pytest.approx((0, 1), abs=1e-6)


@pytest.mark.parametrize("merge", ["closest", "mean", "closest-map"])
def test_normals_ensembles_by_name(marigold_normals, merge):
    vectors = marigold_normals(
        _photo(24, 24), ensemble=3, merge=merge, steps=1, resolution=0
    ).values
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=2), 1, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (9, 64), (57, 43)])
def test_the_reference_fit_fills_the_range_and_the_grid(depth, normals, size):
    values = depth(_photo(*size), fit="reference").values
    assert values.shape == size
    if min(size) > 8:
        assert values.max() > 0.5
    vectors = normals(_photo(*size), fit="reference").values
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=2), 1, atol=1e-5)


def test_a_trajectory_ends_in_the_prediction(marigold):
    picture = as_tensor(_photo(24, 40))
    how = marigold.inference(steps=3, last="clean", resolution=0)
    steps = marigold.trajectory(picture, how)
    assert [time for time, _ in steps] == [999, 666, 332]
    (alone,) = marigold.predict([picture], how)
    torch.testing.assert_close(steps[-1][1].tensor, alone.tensor)


def test_a_network_of_nan_is_an_error_that_names_the_model(tmp_path):
    model = monostep.load(tiny_models.depth_folder(tmp_path / "m"), dtype="fp32")
    model.network.unet.out.conv.bias.data.fill_(float("nan"))
    with pytest.raises(CheckpointError, match="tiny-depth: the network's output is not finite"):
        model(_photo(16, 16))


def test_the_provenance_says_how(marigold):
    how = marigold(_photo(8, 8), steps=2, resolution=0).provenance
    assert (how["steps"], how["spacing"], how["noise"], how["seed"]) == (
        2,
        "trailing",
        "gaussian",
        0,
    )
    assert how["last"] == "previous"


def test_resolution_changes_what_the_network_sees_but_not_the_grid(depth):
    photo = _photo(40, 60)
    small, native = depth(photo, resolution=16).values, depth(photo, resolution=0).values
    assert small.shape == native.shape == (40, 60)
    assert not np.allclose(small, native)


def test_a_bad_model_device_or_dtype_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="no-model"):
        monostep.load("no-model")
    with pytest.raises(CheckpointError, match=r"model_index|card"):
        monostep.load(tmp_path)
    tiny_models.depth_folder(tmp_path)
    with pytest.raises(SettingError, match="device 'gpu'"):
        monostep.load(tmp_path, device="gpu")
    with pytest.raises(SettingError, match="dtype 'int8'"):
        monostep.load(tmp_path, dtype="int8")
