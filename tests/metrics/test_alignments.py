import math
from typing import get_args

import numpy as np
import pytest
import torch

from monostep.errors import InputError, SettingError
from monostep.geometry.depth import Quantity
from monostep.geometry.quantity import from_depth
from monostep.metrics import alignments, depth
from monostep.metrics.alignments import Alignment, align

SPACES = get_args(Quantity)
FORWARD = {
    "depth": lambda g: g,
    "disparity": lambda g: 1 / g,
    "sqrt_disparity": lambda g: 1 / np.sqrt(g),
    "log_depth": np.log,
}
BACK = {
    "depth": lambda q: q,
    "disparity": lambda q: 1 / np.maximum(q, 1e-3),
    "sqrt_disparity": lambda q: 1 / np.maximum(q, 1e-3**0.5) ** 2,
    "log_depth": np.exp,
}
LIMITS = {"near_m": 1e-3, "far_m": 10.0}
AFFINE = [*zip(SPACES, SPACES, strict=True), *((each, "robust-log") for each in SPACES)]
POSSIBLE = [*AFFINE, *((each, how) for each in SPACES for how in ("scale", "none"))]


@pytest.fixture
def truth():
    """Metres, nan where invalid, in more than one part."""
    generator = torch.Generator().manual_seed(0)
    truth_m = 0.8 + 8 * torch.rand(211, 307, generator=generator)
    valid = torch.rand(211, 307, generator=generator) > 0.3
    return truth_m.masked_fill(~valid, math.nan), valid


def _predicted(truth, quantity, *, noise=0.1):
    """A noisy affine function of the true quantity, in float32, mostly above 0."""
    truth_m, _ = truth
    true = from_depth(truth_m.nan_to_num(5), quantity)
    generator = torch.Generator().manual_seed(1)
    spread = noise * true.std() * torch.randn(true.shape, generator=generator)
    return 0.3 * (true - true.min() + spread) / true.std() + 0.05


def _numpy(predicted, truth, quantity, *, near_m, far_m):
    """The other's own least squares in float64, inverted and clipped."""
    truth_m, valid = (each.numpy() for each in truth)
    used = valid & (predicted.numpy() > 0) if quantity == "disparity" else valid
    values = predicted.numpy().astype(np.float64)
    system = np.stack([values[used], np.ones(used.sum())], axis=1)
    true = FORWARD[quantity](truth_m[used].astype(np.float64))
    (scale, shift), *_ = np.linalg.lstsq(system, true, rcond=None)
    metres = BACK[quantity](scale * values + shift)
    return np.maximum(np.clip(metres, near_m, far_m), 1e-6)


@pytest.mark.parametrize("far_m", [6.0, math.inf])
@pytest.mark.parametrize("quantity", SPACES)
def test_least_squares_are_numpys_in_every_space(truth, quantity, far_m):
    predicted = _predicted(truth, quantity)
    assert (predicted < 0).any(), "or the reference's mask of disparity would show nothing"
    limits = {"near_m": 1.5, "far_m": far_m}
    found = align(predicted, *truth, alignment=quantity, quantity=quantity, **limits)
    wanted = _numpy(predicted, truth, quantity, **limits)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    exact = align(predicted.double(), *truth, alignment=quantity, quantity=quantity, **limits)
    np.testing.assert_allclose(exact, wanted, rtol=1e-9)


@pytest.mark.parametrize("quantity", SPACES)
def test_scores_of_the_aligned_are_those_of_numpys(truth, quantity):
    predicted = _predicted(truth, quantity)
    found = align(predicted, *truth, alignment=quantity, quantity=quantity, **LIMITS)
    wanted = torch.from_numpy(_numpy(predicted, truth, quantity, **LIMITS))
    scores = depth.scores(found, *truth)
    assert scores == pytest.approx(depth.scores(wanted, truth[0].double(), truth[1]), rel=1e-6)


@pytest.mark.parametrize(("quantity", "alignment"), AFFINE)
def test_scale_and_shift_of_the_prediction_change_nothing(truth, quantity, alignment):
    predicted = _predicted(truth, quantity).double().clamp_min(1e-3)
    once, again = (
        align(each, *truth, alignment=alignment, quantity=quantity, **LIMITS)
        for each in (predicted, 7 * predicted + 3)
    )
    torch.testing.assert_close(again, once, rtol=1e-9, atol=0)


@pytest.mark.parametrize(("quantity", "alignment"), POSSIBLE)
def test_an_exact_relation_is_found(truth, quantity, alignment):
    truth_m, valid = truth
    true = from_depth(truth_m.nan_to_num(5).double(), quantity)
    if alignment == "none":
        predicted = true
    elif alignment == "scale":
        predicted = true + 3 if quantity == "log_depth" else 3 * true
    else:
        predicted = 3 * true + 5
    found = align(predicted, *truth, alignment=alignment, quantity=quantity, **LIMITS)
    torch.testing.assert_close(found[valid], truth_m[valid].double(), rtol=1e-6, atol=0)


def test_aligning_what_is_aligned_changes_nothing(truth):
    once = _predicted(truth, "depth").double()
    for _ in range(2):
        before = once
        once = align(once, *truth, alignment="depth", quantity="depth", near_m=0, far_m=math.inf)
    torch.testing.assert_close(once, before, rtol=1e-9, atol=1e-9)


def test_scale_alone_is_least_squares_without_shift(truth):
    predicted = _predicted(truth, "depth")
    found = align(predicted, *truth, alignment="scale", quantity="depth", near_m=1, far_m=7)
    truth_m, valid = truth
    x, y = predicted[valid].double().numpy(), truth_m[valid].double().numpy()
    (scale,), *_ = np.linalg.lstsq(x[:, None], y, rcond=None)
    wanted = np.clip(scale * predicted.double().numpy(), 1, 7)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.parametrize(("far_m", "farthest"), [(80.0, 80.0), (math.inf, 1000.0)])
def test_scale_alone_leaves_out_what_has_no_depth(truth, far_m, farthest):
    truth_m, valid = truth
    predicted = from_depth(truth_m.nan_to_num(5), "disparity") / 4
    predicted[:20] = 0
    predicted[20:30] = -1
    found = align(
        predicted, *truth, alignment="scale", quantity="disparity", near_m=1e-3, far_m=far_m
    )
    seen = valid.clone()
    seen[:30] = False
    torch.testing.assert_close(found[seen], truth_m[seen], rtol=1e-6, atol=0)
    assert (found[:30] == farthest).all()


@pytest.mark.parametrize("quantity", SPACES[1:])
def test_scale_alone_is_fitted_in_the_maps_own_quantity(truth, quantity):
    """One pixel that is almost infinitely far must not decide for all others."""
    truth_m, valid = truth
    predicted = from_depth(truth_m.nan_to_num(5).double(), quantity)
    predicted = predicted + 2 if quantity == "log_depth" else 4 * predicted
    predicted[tuple(valid.nonzero()[7])] = 7 if quantity == "log_depth" else 1e-3
    found = align(predicted, *truth, alignment="scale", quantity=quantity, **LIMITS)
    assert depth.scores(found, *truth)["abs_rel"] < 1e-3
    x, y = predicted[valid].numpy(), FORWARD[quantity](truth_m[valid].double().numpy())
    if quantity == "log_depth":
        aligned = predicted.numpy() + (y - x).mean()
    else:
        (scale,), *_ = np.linalg.lstsq(x[:, None], y, rcond=None)
        aligned = scale * predicted.numpy()
    np.testing.assert_allclose(found, np.clip(BACK[quantity](aligned), 1e-3, 10), rtol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("quantity", ["disparity", "sqrt_disparity"])
def test_scale_alone_leaves_0_out_in_either_precision(truth, quantity, dtype):
    truth_m, valid = truth
    predicted = from_depth(truth_m.nan_to_num(5).to(dtype), quantity) / 4
    predicted[:30] = 0
    found = align(predicted, *truth, alignment="scale", quantity=quantity, **LIMITS)
    seen = valid.clone()
    seen[:30] = False
    torch.testing.assert_close(found[seen], truth_m[seen].to(dtype), rtol=1e-6, atol=0)


@pytest.mark.parametrize("alignment", ["own", "scale", "robust-log"])
@pytest.mark.parametrize("quantity", SPACES[1:])
def test_truth_without_depth_does_not_count_but_in_depth(truth, quantity, alignment):
    """A mask may claim pixels of depth 0, which have no inverse and no logarithm."""
    truth_m, valid = truth
    predicted = _predicted(truth, quantity).double().clamp_min(0.01)
    alignment = quantity if alignment == "own" else alignment
    claimed = valid.clone()
    truth_m[:9], claimed[:9] = 0, True
    valid[:9] = False
    how = {"alignment": alignment, "quantity": quantity, **LIMITS}
    assert torch.equal(align(predicted, truth_m, claimed, **how), align(predicted, *truth, **how))


def test_none_takes_metres_as_they_are_but_for_the_clip(truth):
    metres = torch.linspace(-1, 20, 100).reshape(10, 10)
    truth = torch.full((10, 10), 5.0), torch.ones(10, 10, dtype=torch.bool)
    found = align(metres, *truth, alignment="none", quantity="depth", near_m=0.5, far_m=10)
    assert torch.equal(found, metres.clamp(0.5, 10))


@pytest.mark.parametrize("near_m", [0.0, -1.0])
def test_no_depth_is_below_a_micrometre(truth, near_m):
    for alignment in ("depth", "none", "scale"):
        found = align(
            _predicted(truth, "depth") - 1,
            *truth,
            alignment=alignment,
            quantity="depth",
            near_m=near_m,
            far_m=10,
        )
        assert found.min() >= np.float32(1e-6)


@pytest.mark.parametrize("alignment", [*SPACES, "robust-log"])
@pytest.mark.parametrize("value", [0.0, 0.7, -3.0])
def test_a_constant_becomes_the_mean_in_its_space(truth, alignment, value):
    quantity = alignment if alignment in SPACES else "depth"
    truth_m, valid = truth
    constant = torch.full_like(truth_m, value)
    found = align(constant, *truth, alignment=alignment, quantity=quantity, **LIMITS)
    mean = FORWARD[quantity](truth_m[valid].double().numpy()).mean()
    # Of robust-log: of the pixels that are drawn.
    tolerance = 0.02 if alignment == "robust-log" else 1e-6
    np.testing.assert_allclose(found, float(BACK[quantity](mean)), rtol=tolerance)
    assert found.unique().numel() == 1


@pytest.mark.parametrize("alignment", [*SPACES, "scale", "robust-log"])
def test_one_valid_pixel_is_met(truth, alignment):
    quantity = alignment if alignment in SPACES else "depth"
    truth_m, _ = truth
    valid = torch.zeros_like(truth[1])
    valid[100, 100] = True
    truth_m[100, 100] = 3
    predicted = _predicted(truth, quantity)
    found = align(predicted, truth_m, valid, alignment=alignment, quantity=quantity, **LIMITS)
    assert float(found[100, 100]) == pytest.approx(3, rel=1e-6)
    assert torch.isfinite(found).all()


@pytest.mark.parametrize("alignment", sorted(set(get_args(Alignment)) - {"none"}))
def test_without_valid_pixels_there_is_nothing_to_align_to(truth, alignment):
    quantity = alignment if alignment in SPACES else "depth"
    nothing = torch.zeros_like(truth[1])
    with pytest.raises(InputError, match=r"no pixel that it looks at is valid; leave the image"):
        align(truth[0], truth[0], nothing, alignment=alignment, quantity=quantity, **LIMITS)


def test_a_prediction_that_is_not_finite_is_told(truth):
    predicted = _predicted(truth, "depth")
    predicted[tuple(truth[1].nonzero()[7])] = math.nan
    for alignment in set(get_args(Alignment)) - {"none"}:
        quantity = alignment if alignment in SPACES else "depth"
        with pytest.raises(InputError, match="is not finite at valid pixels"):
            align(predicted, *truth, alignment=alignment, quantity=quantity, **LIMITS)


@pytest.mark.parametrize("quantity", SPACES)
def test_what_is_known_up_to_shift_has_no_inverse(truth, quantity):
    for alignment in set(SPACES) - {quantity}:
        with pytest.raises(SettingError, match=f"align in {quantity}, or"):
            align(
                _predicted(truth, quantity),
                *truth,
                alignment=alignment,
                quantity=quantity,
                **LIMITS,
            )


def test_an_unknown_alignment_is_refused():
    with pytest.raises(SettingError, match="alignment 'median': choose depth, disparity"):
        alignments._check("median", "depth")


def test_columns_are_those_of_the_reference():
    """ETH3D: of 6048 columns 1024, the last 6042; all 4032 rows."""
    found = alignments.columns(4032, 6048, side=1024).tolist()
    assert len(found) == 1024
    assert found[:8] == [0, 5, 11, 17, 23, 29, 35, 41]
    assert found[-3:] == [6030, 6036, 6042]


@pytest.mark.parametrize("size", [(4032, 6048), (6048, 4032), (768, 3072), (97, 1025), (2000, 30)])
def test_columns_are_torchs_nearest_of_a_signal(size):
    """The reference's own call, on numbers that name their columns."""
    names = torch.arange(size[1], dtype=torch.float32).expand(3, 1, -1)
    factor = min(1024 / size[0], 1024 / size[1])
    wanted = torch.nn.Upsample(scale_factor=factor, mode="nearest")(names)[0, 0]
    assert alignments.columns(*size, side=1024).tolist() == wanted.tolist()


@pytest.mark.parametrize("size", [(1024, 1024), (5, 9), (1024, 3)])
def test_small_images_keep_all_columns(size):
    assert alignments.columns(*size, side=1024).tolist() == list(range(size[1]))


def test_the_side_thins_what_is_aligned_on_but_not_the_map(truth):
    predicted = _predicted(truth, "depth", noise=0.5)
    places = alignments.columns(211, 307, side=64)
    assert 10 < len(places) < 100
    found = align(predicted, *truth, alignment="depth", quantity="depth", **LIMITS, align_side=64)
    truth_m, valid = truth
    on = torch.zeros_like(valid)
    on[:, places] = valid[:, places]
    assert torch.equal(
        found, align(predicted, truth_m, on, alignment="depth", quantity="depth", **LIMITS)
    )
    whole = align(predicted, *truth, alignment="depth", quantity="depth", **LIMITS)
    assert not torch.equal(found, whole)
