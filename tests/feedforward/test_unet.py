import pytest
import torch
from torch import nn

from monostep.feedforward.unet import UNet, widths
from monostep.network.sizes import SD2_UNET, TINY_UNET


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
