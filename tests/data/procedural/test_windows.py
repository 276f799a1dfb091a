import pytest
import torch

from monostep.data.procedural import camera, trace
from monostep.data.procedural.render import scene
from monostep.data.procedural.surface import surface
from monostep.data.procedural.windows import windows


def _everywhere(groups, _origin, direction, _reach_m=None):
    size = torch.broadcast_shapes(*(part.shape for part in direction))
    return [(slice(0, size[1]), slice(0, size[2]))] * sum(len(group) for group in groups)


@pytest.mark.parametrize("index", range(6))
def test_no_window_cuts_a_solid_or_a_shadow(index, monkeypatch):
    one = scene(5, index)
    direction = camera.rays(one.focal, (48, 64))
    light = one.lights.position_m[:, 0]

    def look():
        hit = trace.trace(one, direction)
        seen = surface(one, hit, direction)
        to_point = tuple(p - light[:, i, None, None] for i, p in enumerate(seen.point_m))
        wanted = camera.dot(seen.normal, to_point) < 0
        free = trace.lit(one, light, to_point, seen.point_m[2] * 1e-3 + 0.004, wanted)
        return hit.solid, hit.t, free & wanted

    quick = look()
    monkeypatch.setattr(trace, "windows", _everywhere)
    for got, expected in zip(quick, look(), strict=True):
        assert torch.equal(got, expected)


def test_a_small_far_solid_has_a_small_window_and_one_behind_has_none(set_up, grey):
    from monostep.data.procedural.furniture import block

    near, behind = block((0, 20, 1), (0.1, 0.1, 0.1), grey), block((0, -9, 1), (1, 1, 1), grey)
    one = set_up([near, behind])
    seen = windows([one.boxes], torch.zeros(1, 3), camera.rays(one.focal, (128, 128)))
    assert seen[1] is None
    assert seen[0] is not None
    assert all(part.stop - part.start <= 32 for part in seen[0])
