import pytest
import torch

from monostep.data.augment import Augmentation

EVERYTHING = Augmentation(jitter=1.0, blur=1.0, motion_blur=1.0)


@pytest.fixture
def image():
    return torch.rand(3, 48, 64, generator=torch.Generator().manual_seed(0))


def _apply(augmentation, image, seed):
    return augmentation.apply(image, torch.Generator().manual_seed(seed))


def test_none_leaves_the_image_bit_for_bit(image):
    assert torch.equal(_apply(Augmentation(), image, 0), image)


def test_the_generator_decides_everything(image):
    assert torch.equal(_apply(EVERYTHING, image, 1), _apply(EVERYTHING, image, 1))
    assert not torch.equal(_apply(EVERYTHING, image, 1), _apply(EVERYTHING, image, 2))


def test_what_follows_in_the_stream_does_not_depend_on_what_is_on(image):
    following = []
    for augmentation in (Augmentation(), EVERYTHING, Augmentation(blur=0.5)):
        generator = torch.Generator().manual_seed(7)
        augmentation.apply(image, generator)
        following.append(torch.rand((), generator=generator))
    assert following[0] == following[1] == following[2]


@pytest.mark.parametrize("name", ["jitter", "blur", "motion_blur"])
def test_each_change_is_applied_to_its_share(name):
    image = torch.rand(3, 768, 4)  # the height at which blurs are in full
    count = 300
    changed = sum(
        not torch.equal(_apply(Augmentation(**{name: 0.3}), image, seed), image)
        for seed in range(count)
    )
    assert changed / count == pytest.approx(0.3, abs=0.08)


def test_the_image_stays_in_range_and_its_size(image):
    for seed in range(20):
        changed = _apply(EVERYTHING, image, seed)
        assert changed.shape == image.shape
        assert -1e-6 <= changed.min() <= changed.max() <= 1 + 1e-6


def test_blurs_are_shares_of_the_height():
    """A picture of twice the size is blurred by twice as many pixels."""
    rows = torch.linspace(0, 1, 96)[:, None].expand(3, 96, 128)
    edge = (rows > 0.5).float()
    small = edge[:, ::2, ::2]
    widths = []
    for image in (small, edge):
        between = [
            ((changed > 0.1) & (changed < 0.9)).float().mean().item()
            for seed in range(40)
            for changed in [_apply(Augmentation(blur=1.0), image, seed)]
        ]
        widths.append(sum(between))
    assert widths[0] == pytest.approx(widths[1], rel=0.6)
