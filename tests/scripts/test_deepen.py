from dataclasses import replace

import pytest
import torch
from scripts.deepen import deepened

from monostep.network.sizes import TINY_JOINT_UNET, TINY_UNET
from monostep.network.unet import UNet

ONE_LAYER = replace(TINY_UNET, layers=1)


def _inputs(config):
    generator = torch.Generator().manual_seed(0)
    latent = torch.randn(2, config.in_channels, 9, 14, generator=generator)
    context = torch.randn(2, 2, config.context, generator=generator)
    classes = torch.randn(2, config.classes, generator=generator) if config.classes else None
    return latent, torch.tensor([999, 1]), context, classes


@pytest.mark.parametrize("config", [ONE_LAYER, TINY_UNET, replace(TINY_JOINT_UNET, layers=1)])
@pytest.mark.parametrize("more", [1, 2])
def test_a_deeper_network_says_the_same(config, more):
    torch.manual_seed(0)
    unet = UNet(config).eval()
    deep = deepened(unet, config.layers + more).eval()
    assert sum(p.numel() for p in deep.parameters()) > sum(p.numel() for p in unet.parameters())
    torch.testing.assert_close(deep(*_inputs(config)), unet(*_inputs(config)), rtol=0, atol=1e-6)


def test_every_new_block_learns():
    torch.manual_seed(0)
    deep = deepened(UNet(ONE_LAYER), 2)
    deep(*_inputs(ONE_LAYER)).square().mean().backward()
    for part in ("conv2.weight", "proj_out.weight"):
        slopes = [p.grad for name, p in deep.named_parameters() if name.endswith(part)]
        assert all(slope is not None and slope.abs().max() > 0 for slope in slopes)


def test_what_is_no_deeper_is_refused():
    with pytest.raises(SystemExit, match="--layers 1: the UNet has 1"):
        deepened(UNet(ONE_LAYER), 1)
