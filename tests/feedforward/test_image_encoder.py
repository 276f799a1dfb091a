import pytest
import torch
from torch import nn

from monostep.feedforward.image_encoder import ImageEncoder
from monostep.feedforward.layers import Packed
from monostep.network.sizes import CLIP_LARGE, TINY_IMAGE_ENCODER


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    made = ImageEncoder(TINY_IMAGE_ENCODER, told=9)
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.2)
    return made


def _pictures(count):
    return torch.rand(count, 3, TINY_IMAGE_ENCODER.side, TINY_IMAGE_ENCODER.side)


def test_each_picture_has_its_own_numbers(network):
    pictures = _pictures(3)
    with torch.no_grad():
        told = network(pictures)
        assert told.shape == (3, 9)
        torch.testing.assert_close(network(pictures[[2, 0]]), told[[2, 0]], rtol=0, atol=1e-5)
    assert (told[0] - told[1]).abs().max() > 1e-3


def test_inference_packs_and_changes_only_the_last_digits(network):
    pictures = _pictures(2)
    with torch.no_grad():
        expected = network(pictures)
    with torch.inference_mode():
        torch.testing.assert_close(network(pictures), expected, rtol=1e-4, atol=1e-4)
    layers = [each for each in network.modules() if isinstance(each, Packed)]
    assert len(layers) == 1 + 4 * TINY_IMAGE_ENCODER.layers + 2
    for layer in layers:
        layer.unpack()


def test_gradients_reach_the_picture(network):
    picture = _pictures(1).requires_grad_()
    network(picture).square().sum().backward()
    assert torch.isfinite(picture.grad).all()
    assert picture.grad.abs().max() > 0


def test_the_narrowest_place_is_between_its_last_two_products():
    with torch.device("meta"):
        network = ImageEncoder(CLIP_LARGE, told=12_480)
    two = network.vector.weight.numel() + network.told.weight.numel()
    assert two == 768 * (1024 + 12_480) < 1024 * 12_480
