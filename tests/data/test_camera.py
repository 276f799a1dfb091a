import dataclasses

import pytest
import torch

from monostep.data.camera import Camera, taken

STILL = Camera(shade=0, white_balance=0, exposure=0, tone=0, shot=0, read=0)


@pytest.fixture
def image():
    return torch.rand(3, 24, 32, generator=torch.Generator().manual_seed(0))


def _taken(image, camera, seed=1):
    return taken(image, camera, torch.Generator().manual_seed(seed))


def test_a_camera_without_changes_gives_the_image_back(image):
    torch.testing.assert_close(_taken(image, STILL), image, rtol=0, atol=1e-5)


def test_pictures_stay_in_range_and_follow_their_generator(image):
    for seed in range(10):
        found = _taken(image, Camera(), seed)
        assert found.shape == image.shape
        assert 0 <= found.min() <= found.max() <= 1
        assert torch.equal(found, _taken(image, Camera(), seed))
    assert not torch.equal(_taken(image, Camera(), 1), _taken(image, Camera(), 2))


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Camera)])
def test_every_setting_changes_the_picture(image, name):
    one = dataclasses.replace(STILL, **{name: getattr(Camera(), name)})
    assert (_taken(image, one) - image).abs().max() > 1e-3


def test_more_light_is_brighter_and_never_darker(image):
    bright = dataclasses.replace(STILL, exposure=0.7)
    found = [_taken(image, bright, seed) for seed in range(20)]
    for each in found:
        assert (each >= image - 1e-5).all() or (each <= image + 1e-5).all()
    means = [each.mean() for each in found]
    assert min(means) < image.mean() < max(means)


def test_noise_in_the_dark_is_the_sensors_own():
    dark = torch.zeros(3, 64, 64)
    shot, read = (dataclasses.replace(STILL, **{name: 0.01}) for name in ("shot", "read"))
    assert _taken(dark, shot).max() == 0
    assert _taken(dark, read).max() > 0
