import pytest
import shaken_models
import torch
from shaken_models import SMALL_UNET

from monostep.feedforward.double import Double
from monostep.feedforward.fold import fold
from monostep.feedforward.int8 import quantise
from monostep.feedforward.layers import Conv, Dense, Weighted
from monostep.feedforward.network import cast, last_layer


def _network(kind="tiny"):
    return fold(shaken_models.model(kind, unet=SMALL_UNET), channels=1, times=(999,), only="clean")


def _layers(network):
    return {name: layer for name, layer in network.named_modules() if isinstance(layer, Weighted)}


@pytest.mark.parametrize("kind", ["kl", "tiny"])
def test_large_weights_are_whole_numbers_within_half_a_step(kind):
    network = _network(kind)
    before = {name: layer.plain().clone() for name, layer in _layers(network).items()}
    assert quantise(network) is network
    stored = {name: layer for name, layer in _layers(network).items() if layer.scale is not None}
    assert {type(layer) for layer in stored.values()} == {Conv, Dense, Double}
    for name, layer in stored.items():
        assert layer.weight.dtype == torch.int8
        assert list(layer.scale.shape) == layer.scale_shape
        assert layer.weight.abs().max() == 127
        off = (layer.plain() - before[name]).abs()
        assert (off <= 0.5001 * layer.scale).all(), name


@pytest.mark.parametrize("kind", ["kl", "tiny"])
def test_small_layers_and_the_last_one_stay(kind):
    network = quantise(_network(kind))
    kept = set(last_layer(network).modules())
    for layer in _layers(network).values():
        if layer in kept or layer.weight.numel() < 4096:
            assert layer.scale is None
            assert layer.weight.dtype == torch.float32


@pytest.mark.parametrize("kind", ["kl", "tiny"])
def test_the_map_hardly_changes_and_memory_does(kind):
    network, image = _network(kind), shaken_models.picture(32, 40)
    with torch.inference_mode():
        expected = network(image)  # packs, which quantising must undo
    size = sum(each.nbytes for each in network.state_dict().values())
    quantise(network)
    assert sum(each.nbytes for each in network.state_dict().values()) < 0.5 * size
    with torch.inference_mode():
        result = network(image)
    assert 0 < (result - expected).abs().mean() < 0.1 * expected.std()


def test_once_is_enough():
    network = quantise(_network())
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    after = quantise(network).state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_it_computes_in_the_precision_it_is_cast_to():
    network, image = quantise(_network()), shaken_models.picture(32, 40)
    with torch.inference_mode():
        expected = network(image)
        cast(network, torch.bfloat16)
        result = network(image)
    stored = [layer for layer in _layers(network).values() if layer.scale is not None]
    assert {layer.weight.dtype for layer in stored} == {torch.int8}
    assert {layer.dtype for layer in stored} == {torch.bfloat16}
    assert (result - expected).abs().mean() < 0.1 * expected.std()


def test_the_gradient_goes_through_to_the_image():
    network, image = quantise(_network()), shaken_models.picture(16, 20).requires_grad_()
    network(image).sum().backward()
    assert torch.isfinite(image.grad).all()
    assert image.grad.abs().max() > 0


def test_a_layer_of_zeros_stays_zero():
    network = _network()
    layer = network.unet.middle[0].residual.second.conv
    with torch.no_grad():
        layer.weight.zero_()
    quantise(network)
    assert layer.scale is not None
    assert torch.equal(layer.plain(), torch.zeros_like(layer.plain()))
