import pytest
import torch
from torch import nn

from monostep.feedforward.unet import UNet, rows, told_widths, widths
from monostep.network.sizes import (
    GEOWIZARD_UNET,
    GEOWIZARD_V2_UNET,
    SD2_UNET,
    TINY_JOINT_UNET,
    TINY_UNET,
)


def _network(config=TINY_UNET, *, noisy=4, tokens=2):
    network = UNet(config, latent=4, noisy=noisy, tokens=tokens)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    return network


@pytest.mark.parametrize("noisy", [0, 4])
@pytest.mark.parametrize("size", [(8, 8), (9, 15), (1, 1)])
def test_the_output_has_the_inputs_size(size, noisy):
    network = _network(noisy=noisy)
    time = torch.randn(sum(widths(network)))
    image = torch.randn(2, 4, *size)
    with torch.no_grad():
        said = network(image, torch.randn(2, 4, *size) if noisy else None, time)
    assert said.shape == image.shape
    assert (network.noise is None) == (noisy == 0)


def test_each_block_hears_its_own_cut_of_the_time():
    network = _network()
    cuts = widths(network)
    heard = []
    blocks = [module for module in network.modules() if type(module).__name__ == "Residual"]
    assert len(blocks) == len(cuts)
    for block in blocks:
        block.register_forward_pre_hook(lambda _, inputs: heard.append(inputs[1]))
    time = torch.arange(sum(cuts)).float()
    with torch.no_grad():
        network(torch.randn(1, 4, 8, 8), torch.randn(1, 4, 8, 8), time)
    assert [len(cut) for cut in heard] == cuts
    assert torch.equal(torch.cat(heard), time)


def test_the_published_size_hears_20160_numbers():
    with torch.device("meta"):
        network = UNet(SD2_UNET, latent=4, noisy=0, tokens=2)
    assert sum(widths(network)) == 20_160


def test_gradients_reach_image_noise_and_time():
    network = _network()
    leaves = [torch.randn(1, 4, 5, 7, requires_grad=True) for _ in range(2)]
    time = torch.randn(sum(widths(network)), requires_grad=True)
    network(*leaves, time).square().sum().backward()
    for leaf in (*leaves, time):
        assert torch.isfinite(leaf.grad).all()
        assert leaf.grad.abs().max() > 0


def test_the_published_transformers_are_told_12480_numbers():
    with torch.device("meta"):
        network = UNet(GEOWIZARD_UNET, latent=4, noisy=0, tokens=0)
    assert (len(told_widths(network)), sum(told_widths(network))) == (16, 12_480)
    assert (sum(widths(network)), network.halves) == (20_160, 2)


def test_there_are_rows_for_domain_and_half_where_the_class_says_them():
    of = {None: (), 10: (3, 2), 4: (1, 2)}
    configs = SD2_UNET, GEOWIZARD_UNET, GEOWIZARD_V2_UNET
    assert {config.classes: rows(config) for config in configs} == of


@pytest.mark.parametrize("noisy", [0, 4])
@pytest.mark.parametrize("tokens", [0, 4], ids=["vectors", "domains"])
def test_an_image_has_two_maps_that_differ_by_what_they_hear(tokens, noisy):
    network = _network(TINY_JOINT_UNET, noisy=noisy, tokens=tokens)
    told = torch.tensor([2, 0]) if tokens else torch.randn(2, sum(told_widths(network)))
    time = torch.randn(4, sum(widths(network)))
    image = torch.randn(2, 4, 5, 7)
    maps = torch.randn(2, 4, 5, 7).repeat_interleave(2, 0) if noisy else None
    with torch.no_grad():
        said = network(image, maps, time, told)
        same = network(image, maps, time[[0, 0, 2, 2]], told)
    assert said.shape == (4, 4, 5, 7)
    assert (said[0] - said[1]).abs().max() > 1e-3
    torch.testing.assert_close(same[::2], same[1::2], rtol=0, atol=1e-5)


def test_each_transformer_reads_its_own_cut_of_what_is_told():
    network = _network(TINY_JOINT_UNET, tokens=0)
    cuts, heard = told_widths(network), []
    for module in network.modules():
        if type(module).__name__ == "Transformer":
            module.register_forward_pre_hook(lambda _, inputs: heard.append(inputs[1]))
    time, told = torch.randn(2, sum(widths(network))), torch.arange(sum(cuts)).float()[None]
    with torch.no_grad():
        network(torch.randn(1, 4, 8, 8), torch.randn(2, 4, 8, 8), time, told)
    assert [cut.shape[1] for cut in heard] == cuts
    assert torch.equal(torch.cat(heard, dim=1), told)
