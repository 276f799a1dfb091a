import torch

from monostep.data.procedural.material import Material
from monostep.data.procedural.texture import noise, reflectance


def picture(material, footprint_m=1e-4, side=64):
    u, v = torch.meshgrid(torch.arange(side) / 32, torch.arange(side) / 32, indexing="ij")
    u, v = u[None] + 0.003, v[None] + 0.003
    lookup = lambda name: torch.full_like(u, getattr(material, name))  # noqa: E731
    return torch.stack(reflectance(lookup, u, v, torch.full_like(u, footprint_m)))[:, 0]


def test_plain_is_its_base_colour():
    seen = picture(Material(base_r=0.2, base_g=0.4, base_b=0.6))
    torch.testing.assert_close(seen.mean((1, 2)), torch.tensor([0.2, 0.4, 0.6]))
    assert seen.std((1, 2)).max() < 1e-5


def test_checks_alternate_between_the_two_colours():
    checks = Material(
        base_r=0.2, base_g=0.2, base_b=0.2, accent_r=0.8, check=1, period_u_m=0.5, period_v_m=0.5
    )
    red = picture(checks)[0]
    torch.testing.assert_close(red[8, 8], torch.tensor(0.2))
    torch.testing.assert_close(red[24, 8], torch.tensor(0.8))
    torch.testing.assert_close(red[24, 24], torch.tensor(0.2))


def test_patterns_finer_than_a_pixel_fade_to_their_mean():
    checks = Material(
        base_r=0.2, base_g=0.2, base_b=0.2, accent_r=0.8, check=1, period_u_m=0.1, period_v_m=0.1
    )
    torch.testing.assert_close(picture(checks, footprint_m=1.0)[0], torch.full((64, 64), 0.5))


def test_noise_is_smooth_bounded_and_fades():
    x = torch.linspace(-20, 20, 4000)[None, None]
    y = torch.full_like(x, 0.3)
    value = noise(x, y, torch.zeros_like(x))
    assert value.abs().max() < 1.3
    assert value.std() > 0.1
    assert value.diff().abs().max() < 0.2
    assert noise(x, y, torch.full_like(x, 2.0)).abs().max() == 0
