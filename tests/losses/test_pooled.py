import torch

from monostep.geometry import masked
from monostep.losses.pooled import shares


def _maps():
    generator = torch.Generator().manual_seed(0)
    values = torch.rand(3, 5, 6, generator=generator)
    weight = torch.rand(3, 5, 6, generator=generator) * torch.tensor([1, 0.2, 3])[:, None, None]
    return values, weight


def test_their_mean_is_the_mean_over_all_pixels():
    values, weight = _maps()
    wanted = (values * weight).sum() / weight.sum()
    torch.testing.assert_close(shares(masked.mean(values, weight), weight).mean(), wanted)
    torch.testing.assert_close(shares(masked.mean(values, 7 * weight), 7 * weight).mean(), wanted)


def test_with_equal_weights_they_are_the_images_own_means():
    values, _ = _maps()
    weight = torch.full_like(values, 0.3)
    means = masked.mean(values, weight)
    torch.testing.assert_close(shares(means, weight), means)


def test_an_image_without_weight_has_no_share():
    values, weight = _maps()
    weight[1] = 0
    share = shares(masked.mean(values, weight), weight)
    assert share[1] == 0
    torch.testing.assert_close(share.mean(), (values * weight).sum() / weight.sum())


def test_without_any_weight_there_is_no_loss_and_no_gradient():
    values, weight = _maps()
    values.requires_grad_()
    share = shares(masked.mean(values, 0 * weight), 0 * weight)
    assert share.tolist() == [0, 0, 0]
    share.sum().backward()
    assert not values.grad.any()
