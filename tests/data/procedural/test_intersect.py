import pytest
import torch

from monostep.data.procedural import intersect

INSIDE = {
    "box": lambda p: p.abs().amax(-1) <= 1,
    "cylinder": lambda p: (p[..., :2].square().sum(-1) <= 1) & (p[..., 2].abs() <= 1),
    "ellipsoid": lambda p: p.square().sum(-1) <= 1,
}


@pytest.mark.parametrize("shape", INSIDE)
def test_agrees_with_marching_along_the_ray(shape):
    generator = torch.Generator().manual_seed(1)
    origin = torch.randn(400, 3, generator=generator, dtype=torch.float64) * 2
    target = torch.randn(400, 3, generator=generator, dtype=torch.float64) * 0.8
    direction = target - origin
    enter, leave = getattr(intersect, shape)(
        origin.float()[..., None, None], direction.float()[..., None, None]
    )
    t = torch.linspace(-3, 5, 8001, dtype=torch.float64)
    inside = INSIDE[shape](origin[:, None] + t[:, None] * direction[:, None])
    hit = (enter < leave).flatten()
    clear = ((leave - enter).flatten().abs() > 5e-3) & (enter > -3).flatten()
    assert 100 < int(hit.sum()) < 390
    assert torch.equal(inside.any(1)[clear], hit[clear])
    some = hit & clear
    first = t[inside[some].long().argmax(1)]
    last = t[7999 - inside[some].flip(1)[:, 1:].long().argmax(1)]
    torch.testing.assert_close(enter.flatten()[some].double(), first, atol=2e-3, rtol=0)
    torch.testing.assert_close(leave.flatten()[some].double(), last, atol=2e-3, rtol=0)


@pytest.mark.parametrize("shape", INSIDE)
def test_a_ray_along_an_axis_has_no_nan(shape):
    origin = torch.tensor([0.0, 0.0, -3.0])[None, :, None, None]
    direction = torch.tensor([0.0, 0.0, 1.0])[None, :, None, None]
    enter, leave = getattr(intersect, shape)(origin, direction)
    assert enter.item() == pytest.approx(2)
    assert leave.item() == pytest.approx(4)


def test_a_thin_cylinder_far_away_is_hit_where_it_is():
    # a pole of 5 cm at 200 m, in its unit frame
    origin = torch.tensor([0.3, -4000.0, 0.0])[None, :, None, None]
    direction = torch.tensor([0.0, 20.0, 0.0])[None, :, None, None]
    enter, _ = intersect.cylinder(origin, direction)
    assert enter.item() == pytest.approx((4000 - (1 - 0.09) ** 0.5) / 20, rel=1e-6)
