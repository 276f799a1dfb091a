import math

import pytest
import torch
from drawn_scenes import render

from monostep.data.zoom import cropped, zoomed

SIZE = (24, 32)


@pytest.fixture(scope="module")
def samples():
    return render(1, range(3), SIZE)


def _generators(*seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def _same(one, other, atol=0.0):
    for name, values in vars(one).items():
        if values is not None:
            torch.testing.assert_close(values, getattr(other, name), rtol=0, atol=atol)


def test_the_whole_window_is_the_image(samples):
    _same(cropped(samples, torch.tensor([[1.0, 0, 0]] * 3)), samples, atol=1e-4)


def test_a_window_of_whole_pixels_is_cut_out(samples):
    quarter = cropped(samples, torch.tensor([[2.0, 16, 12]] * 3))
    depth_m = samples.depth_m[:, 12:, 16:]
    assert torch.equal(quarter.depth_m[:, ::2, ::2], depth_m)
    assert torch.equal(quarter.depth_m[:, 1::2, 1::2], depth_m)
    assert torch.equal(quarter.normals[:, :, ::2, ::2], samples.normals[:, :, 12:, 16:])
    assert torch.equal(quarter.valid[:, ::2, ::2], samples.valid[:, 12:, 16:])


def test_a_point_is_seen_where_the_new_intrinsics_put_it(samples):
    window = torch.tensor([[1.6, 5.0, 4.0]] * 3)
    seen = cropped(samples, window)
    point = torch.tensor([0.3, -0.2, 2.0])
    before = samples.intrinsics @ point / 2
    after = seen.intrinsics @ point / 2
    torch.testing.assert_close(after[:, :2], (before[:, :2] - window[:, 1:]) * 1.6)


def test_looks_are_within_the_image_and_their_own_seeds(samples):
    together = zoomed(samples, 3.0, _generators(1, 2, 3))
    for k in range(3):
        (focal, before) = (s.intrinsics[k, 0, 0] for s in (together, samples))
        assert 0 <= math.log(focal / before) <= math.log(3.0)
        left = samples.intrinsics[k, 0, 2] - together.intrinsics[k, 0, 2] * before / focal
        assert -1e-3 <= left <= SIZE[1] * (1 - before / focal) + 1e-3
    again = zoomed(samples, 3.0, _generators(1, 2, 3))
    _same(again, together)


def test_depths_are_those_of_surfaces_and_not_their_means(samples):
    closer = zoomed(samples, 2.5, _generators(1, 2, 3))
    for k in range(3):
        assert set(closer.depth_m[k].flatten().tolist()) <= set(
            samples.depth_m[k].flatten().tolist()
        )


def test_no_magnification_changes_nothing(samples):
    assert zoomed(samples, 1.0, _generators(1, 2, 3)) is samples
