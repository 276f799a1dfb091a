import math

import pytest
import torch

from monostep.metrics import judged_pixels
from monostep.metrics.judged_pixels import AT_ONCE, mapped, over_pixels


@pytest.fixture
def maps():
    """More than two parts, of which the second has no valid pixel."""
    values = torch.arange(2.0 * AT_ONCE + 100).reshape(4, -1)
    valid = values % 3 > 0
    valid.view(-1)[AT_ONCE : 2 * AT_ONCE] = False
    return values, valid


def _sums(one, other):
    return torch.stack((one.sum(), (one * other).sum(), one.new_tensor(len(one))))


def test_every_valid_pixel_counts_once(maps):
    values, valid = maps
    other = torch.where(valid, 2 * values, math.nan)
    parts = over_pixels(_sums, (values, other), valid)
    inside = values[valid].double()
    assert parts.shape == (2, 3)
    wanted = torch.stack((inside.sum(), 2 * inside.square().sum(), valid.sum()))
    torch.testing.assert_close(parts.sum(dim=0), wanted, rtol=1e-14, atol=0)


def test_no_valid_pixel_is_no_part(maps):
    values, valid = maps
    assert len(over_pixels(_sums, (values, values), torch.zeros_like(valid))) == 0


def test_maps_may_be_views(maps):
    values, valid = maps
    parts = over_pixels(_sums, (values.T, values.T), valid.T)
    assert parts[:, 1].sum() == pytest.approx(float(values[valid].double().square().sum()))
    torch.testing.assert_close(mapped(lambda part: -part, values.T), -values.T)


def test_the_number_of_threads_changes_no_bit(maps, monkeypatch):
    values, valid = maps
    found = []
    for threads in (1, 3):
        monkeypatch.setattr(judged_pixels.torch, "get_num_threads", lambda n=threads: n)
        found.append(over_pixels(_sums, (values.sin(), values.cos()), valid))
    assert torch.equal(*found)


@pytest.mark.parametrize(
    ("dtype", "result"),
    [(torch.float32,) * 2, (torch.float64,) * 2, (torch.float16, torch.float32)],
)
def test_a_map_is_changed_in_double_and_keeps_its_type(maps, dtype, result):
    values = (maps[0] / maps[0].max()).to(dtype)
    seen = []

    def change(part):
        seen.append(part.dtype)
        return 2 * part + 1

    changed = mapped(change, values)
    assert changed.dtype == result and changed.shape == values.shape
    torch.testing.assert_close(changed, (2 * values.double() + 1).to(result))
    assert set(seen) == {torch.float64} and len(seen) == 3


def test_what_goes_wrong_in_a_thread_is_raised(maps):
    values, valid = maps

    def wrong(_):
        raise ValueError("told")

    with pytest.raises(ValueError, match="told"):
        over_pixels(wrong, (values,), valid)
    with pytest.raises(ValueError, match="told"):
        mapped(wrong, values)
