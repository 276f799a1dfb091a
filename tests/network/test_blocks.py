import pytest
import torch

from monostep.network.blocks import Downsample, DownsampleFloor, ResidualBlock, Upsample


@pytest.mark.parametrize(("side", "half"), [(8, 4), (7, 4), (1, 1)])
def test_the_unet_halves_upwards(side, half):
    assert Downsample(4)(torch.zeros(1, 4, side, 8)).shape[2] == half


@pytest.mark.parametrize(("side", "half"), [(8, 4), (7, 3), (2, 1)])
def test_the_autoencoder_halves_downwards(side, half):
    assert DownsampleFloor(4)(torch.zeros(1, 4, side, 8)).shape[2] == half


def test_enlarging_to_an_odd_size_repeats_one_row_less():
    torch.manual_seed(0)
    upsample = Upsample(4)
    features = torch.randn(1, 4, 5, 5)
    double, odd = upsample(features), upsample(features, (9, 9))
    assert odd.shape[2:] == (9, 9)
    torch.testing.assert_close(double, upsample(features, (10, 10)), rtol=0, atol=0)


def test_a_residual_block_with_silent_convolutions_is_its_shortcut():
    block = ResidualBlock(4, 4, groups=2, eps=1e-5, time=6)
    torch.nn.init.zeros_(block.conv2.weight)
    torch.nn.init.zeros_(block.conv2.bias)
    features = torch.randn(2, 4, 3, 3)
    torch.testing.assert_close(block(features, torch.randn(2, 6)), features, rtol=0, atol=0)
