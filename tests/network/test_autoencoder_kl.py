import diffusers_twin
import pytest
import torch

from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.network.sizes import NANO_AUTOENCODER_KL, SD2_AUTOENCODER, TINY_AUTOENCODER

CONFIGS = {"tiny": TINY_AUTOENCODER, "nano": NANO_AUTOENCODER_KL}


@pytest.fixture(params=CONFIGS.values(), ids=CONFIGS.keys(), scope="module")
def twins(request):
    torch.manual_seed(0)
    theirs = diffusers_twin.autoencoder_kl(request.param).double()
    ours = AutoencoderKL(request.param).double()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    return ours, theirs


@pytest.mark.parametrize("size", [(32, 40), (64, 64), (37, 53)])
def test_autoencoder_equals_diffusers_in_values_and_gradients(twins, size):
    diffusers_twin.assert_equal_in_values_and_gradients(*twins, size)


@pytest.mark.parametrize(
    ("size", "latent"),
    [
        ((504, 756), (63, 94)),
        ((231, 768), (28, 96)),
        ((222, 767), (27, 95)),
        ((375, 500), (46, 62)),
    ],
)
def test_sides_round_down_three_times(size, latent):
    with torch.device("meta"):
        model = AutoencoderKL(SD2_AUTOENCODER)
        assert tuple(model.encode(torch.zeros(1, 3, *size)).shape[2:]) == latent


def test_published_size_has_the_published_number_of_parameters():
    with torch.device("meta"):
        model = AutoencoderKL(SD2_AUTOENCODER)
    assert sum(parameter.numel() for parameter in model.parameters()) == 83_653_863
    assert len(model.state_dict()) == 248
