import torch

from monostep.data.procedural.look import Look, row
from monostep.data.procedural.sensor import jpeg, photograph


def light(height=30, width=45):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(1, 3, height, width, generator=generator) * 2


def test_the_picture_stays_in_range_and_differs_with_the_look():
    plain = photograph(light(), row(Look()))
    assert plain.min() >= 0
    assert plain.max() <= 1
    for look in (Look(blur_px=4.0), Look(noise=0.1), Look(quality=20), Look(vignette=0.5)):
        changed = photograph(light(), row(look))
        assert changed.shape == plain.shape
        assert changed.min() >= 0
        assert changed.max() <= 1
        assert (changed - plain).abs().mean() > 0.003


def test_blur_smooths_and_keeps_the_mean():
    flat = Look(exposure=0.2)
    sharp = photograph(light(), row(flat))
    smooth = photograph(light(), row(Look(exposure=0.2, blur_px=4.0)))
    assert smooth.std() < 0.7 * sharp.std()
    assert abs(smooth.mean() - sharp.mean()) < 0.05


def test_the_exposure_does_not_depend_on_how_strong_the_light_is():
    torch.testing.assert_close(
        photograph(light() * 0.1, row(Look())), photograph(light() * 0.5, row(Look()))
    )


def test_jpeg_of_a_constant_is_nearly_that_constant_and_coarser_is_worse():
    constant = torch.tensor([0.3, 0.5, 0.7])[None, :, None, None].expand(1, 3, 16, 24)
    kept = jpeg(constant, torch.tensor([60.0]))
    assert (kept - constant).abs().max() < 0.03
    image = light().clamp(0, 1)
    errors = [(jpeg(image, torch.tensor([q])) - image).abs().mean() for q in (90.0, 50.0, 10.0)]
    assert errors[0] < errors[1] < errors[2]
    assert torch.equal(jpeg(image, torch.tensor([100.0])), image)
