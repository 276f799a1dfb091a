import diffusers_twin
import pytest
import torch

from monostep.network.sizes import NANO_UNET, SD2_UNET, TINY_UNET
from monostep.network.unet import UNet

SIZES = [
    (8, 8),
    (16, 24),
    (7, 9),
    (15, 20),
    (11, 38),
]  # 60x80 and 44x152 leave odd skips like these


def _inputs(size, *, tokens=2):
    generator = torch.Generator().manual_seed(0)
    latent = torch.randn(2, TINY_UNET.in_channels, *size, generator=generator)
    context = torch.randn(2, tokens, TINY_UNET.context, generator=generator)
    return latent, torch.tensor([999, 1]), context


@pytest.fixture(scope="module")
def twins():
    torch.manual_seed(0)
    theirs = diffusers_twin.unet(TINY_UNET)
    ours = UNet(TINY_UNET)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return ours, theirs


@pytest.mark.parametrize("size", SIZES)
def test_unet_equals_diffusers_in_values_and_gradients(twins, size):
    ours, theirs = twins
    latent, time, context = _inputs(size)
    ours.zero_grad()
    theirs.zero_grad()
    our_output = ours(latent, time, context)
    their_output = theirs(latent, time, context).sample
    torch.testing.assert_close(our_output, their_output, rtol=0, atol=0)
    our_output.square().sum().backward()
    their_output.square().sum().backward()
    reference = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    for name, parameter in ours.named_parameters():
        # Sums over pixels run in another order: equal to float32 rounding, not to the bit.
        torch.testing.assert_close(parameter.grad, reference[name], rtol=1e-4, atol=1e-5, msg=name)


def test_diffusers_loads_our_weights_strictly(twins):
    ours, theirs = twins
    theirs.load_state_dict(ours.state_dict(), strict=True)


def test_nano_equals_diffusers():
    torch.manual_seed(0)
    theirs, ours = diffusers_twin.unet(NANO_UNET), UNet(NANO_UNET)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    latent = torch.randn(1, 8, 12, 16)
    context = torch.randn(1, 2, NANO_UNET.context)
    with torch.no_grad():
        output = theirs(latent, 999, context).sample
        torch.testing.assert_close(
            ours(latent, torch.tensor([999]), context), output, rtol=0, atol=0
        )


def test_published_size_has_the_published_number_of_parameters():
    with torch.device("meta"):
        unet = UNet(SD2_UNET)
    assert sum(parameter.numel() for parameter in unet.parameters()) == 865_922_244
    assert len(unet.state_dict()) == 686


def test_checked_shapes_refuse_a_wrong_timestep_axis(twins):
    latent, _, context = _inputs((8, 8))
    with pytest.raises(Exception, match="time"):
        twins[0](latent, torch.zeros(2, 1, dtype=torch.long), context)
