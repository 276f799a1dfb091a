import pytest
import torch
from torch.nn.functional import normalize

from monostep.geometry import agreement


def _maps(count=4, size=(5, 7), seed=0):
    return torch.rand(count, *size, generator=torch.Generator().manual_seed(seed))


def _directions(count=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    near = torch.tensor([0.0, 0.0, -1.0])[:, None, None]
    return normalize(near + 0.3 * torch.randn(count, 3, 5, 7, generator=generator), dim=1)


@pytest.mark.parametrize(
    ("merge", "look"),
    [(agreement.of_depth, _maps(1)), (agreement.of_normals, _directions(1))],
)
def test_equal_predictions_are_kept_and_trusted(merge, look):
    agreed = merge(look.expand(4, *look.shape[1:]))
    torch.testing.assert_close(agreed.values, look[0])
    torch.testing.assert_close(agreed.confidence, torch.ones(5, 7), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("merge", "looks"), [(agreement.of_depth, _maps()), (agreement.of_normals, _directions())]
)
def test_no_look_is_preferred(merge, looks):
    one, other = merge(looks), merge(looks[[2, 0, 3, 1]])
    torch.testing.assert_close(one.values, other.values)
    torch.testing.assert_close(one.confidence, other.confidence)
    assert (one.confidence >= 0).all()
    assert (one.confidence <= 1).all()
    assert one.confidence.std() > 0.01


@pytest.mark.parametrize(
    ("merge", "looks"), [(agreement.of_depth, _maps()), (agreement.of_normals, _directions())]
)
def test_mirrored_looks_give_the_mirrored_result(merge, looks):
    straight, mirrored = merge(looks), merge(looks.flip(-1))
    torch.testing.assert_close(mirrored.values, straight.values.flip(-1))
    torch.testing.assert_close(mirrored.confidence, straight.confidence.flip(-1))


def test_depth_of_another_scale_and_shift_is_the_same_depth():
    look = _maps(1)[0]
    agreed = agreement.of_depth(torch.stack([look, 0.3 * look + 0.5, 0.7 * look]))
    torch.testing.assert_close(agreed.confidence, torch.ones(5, 7), atol=1e-5, rtol=0)
    slope = (agreed.values - agreed.values.mean()) / (look - look.mean())
    torch.testing.assert_close(slope, torch.full_like(slope, 2 / 3), atol=1e-4, rtol=0)


def test_depth_turned_round_disagrees():
    look = _maps(1)[0]
    agreed = agreement.of_depth(torch.stack([look, 1 - look]))
    far_from_mean = (look - look.mean()).abs() > 0.1
    assert agreed.confidence[far_from_mean].max() < 0.3
    torch.testing.assert_close(agreed.values, torch.full_like(look, 0.5), atol=0.1, rtol=0)


def test_rounding_of_a_constant_map_is_no_depth():
    flat = torch.full((2, 5, 7), 0.3)
    flat[1, 2, 2] = torch.nextafter(flat[1, 2, 2], torch.tensor(1.0))
    agreed = agreement.of_depth(flat)
    assert agreed.confidence.eq(1).all()
    torch.testing.assert_close(agreed.values, torch.full((5, 7), 0.3))


def test_a_pixel_at_the_tolerance_counts_half():
    # Half a degree to each side of the mean, and so on: the mean angle is the given one.
    half = torch.deg2rad(torch.tensor([0.0, 0.1, agreement.NORMALS_TOLERANCE, 40.0]))[None]
    zero = torch.zeros_like(half)
    looks = torch.stack([torch.stack([side * half.sin(), zero, -half.cos()]) for side in (-1, 1)])
    confidence = agreement.of_normals(looks).confidence[0]
    assert confidence.tolist() == pytest.approx([1, 4 / 4.1, 0.5, 1 / 11], rel=1e-4)


def test_opposite_normals_have_a_direction_and_little_confidence():
    up = torch.tensor([0.0, 1.0, 0.0])[:, None, None]
    agreed = agreement.of_normals(torch.stack([up, -up]))
    assert agreed.values.norm(dim=0).item() == pytest.approx(1)
    assert agreed.confidence.item() < 0.05


def test_confidence_falls_as_disagreement_grows():
    disagreement = torch.tensor([[0.0, 0.05, 0.1, 1.0, 100.0]])
    confidence = agreement.confidence(disagreement, tolerance=0.1)[0]
    assert confidence.tolist() == pytest.approx([1, 2 / 3, 0.5, 1 / 11, 1 / 1001])
