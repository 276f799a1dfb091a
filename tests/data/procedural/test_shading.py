import torch

from monostep.data.procedural import camera
from monostep.data.procedural.furniture import block
from monostep.data.procedural.look import Look
from monostep.data.procedural.shading import radiance, sky
from monostep.data.procedural.stage import Lamp
from monostep.data.procedural.surface import surface
from monostep.data.procedural.trace import trace

SIZE = (48, 64)
DARK = {f"{place}_{c}": 0.0 for place in ("above", "below") for c in "rgb"}


def light(scene):
    direction = camera.rays(scene.focal, SIZE)
    found = surface(scene, trace(scene, direction), direction)
    return radiance(scene, found, direction, 1 / (scene.focal * SIZE[1])), found


def ground(grey):
    return block((0, 0, -1), (99, 99, 1), grey)


def test_a_lamp_gives_lamberts_law(set_up, grey):
    lamp = Lamp(position_m=(0, 3, 2), colour=(1, 1, 1), reference_m=2)
    seen, found = light(set_up([ground(grey)], [lamp], look=Look(**DARK)))
    x, y, z = found.point_m
    square = x * x + (y + 1) ** 2 + (z - 3) ** 2
    expected = 0.5 * 4 * (2 / square.sqrt()) / square
    below = found.present & (z < 20)
    torch.testing.assert_close(seen[:, 0][below], expected[below], rtol=1e-3, atol=1e-6)


def test_a_shadow_is_darker(set_up, grey):
    lamp = Lamp(position_m=(0, 3, 3), colour=(1, 1, 1), reference_m=2)
    cover = block((0, 3, 1.5), (0.3, 0.3, 0.05), grey)
    open_sky, _ = light(set_up([ground(grey)], [lamp]))
    covered, found = light(set_up([ground(grey), cover], [lamp]))
    x, y, z = found.point_m
    on_ground = (y - 1).abs() < 1e-3
    shadow = on_ground & (x.abs() < 0.5) & ((z - 3).abs() < 0.5)
    outside = on_ground & (x.abs() > 0.7) & (z < 6)
    assert shadow.any()
    assert outside.any()
    assert (covered[:, 0][shadow] < 0.6 * open_sky[:, 0][shadow]).all()
    torch.testing.assert_close(covered[:, 0][outside], open_sky[:, 0][outside])


def test_haze_hides_what_is_far(set_up, grey):
    clear, found = light(set_up([ground(grey)], look=Look(haze_per_m=0.0)))
    hazy, _ = light(set_up([ground(grey)], look=Look(haze_per_m=0.05)))
    change = (hazy - clear).abs()[0, 2]
    far, near = (found.point_m[2][0] > 20) & found.present[0], found.point_m[2][0] < 2.5
    assert change[far].min() > change[near].max()


def test_a_clear_sky_goes_from_the_horizon_to_the_zenith(set_up):
    one = set_up([])
    up = tuple(torch.tensor([[[v]]]) for v in (0.0, -1.0, 0.0))
    ahead = tuple(torch.tensor([[[v]]]) for v in (0.0, 0.0, 1.0))
    torch.testing.assert_close(torch.stack(sky(one, up)).flatten(), torch.tensor([0.2, 0.4, 0.9]))
    torch.testing.assert_close(
        torch.stack(sky(one, ahead)).flatten(), torch.tensor([0.8, 0.85, 0.9])
    )
