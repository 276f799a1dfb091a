import diffusers_twin
import pytest
import torch

from monostep.network.autoencoder_tiny import AutoencoderTiny
from monostep.network.sizes import NANO_AUTOENCODER


@pytest.fixture(scope="module")
def twins():
    torch.manual_seed(0)
    theirs = diffusers_twin.autoencoder_tiny(NANO_AUTOENCODER).double()
    ours = AutoencoderTiny(NANO_AUTOENCODER).double()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    return ours, theirs


@pytest.mark.parametrize("size", [(32, 40), (64, 64), (37, 53)])
def test_autoencoder_equals_diffusers_in_values_and_gradients(twins, size):
    diffusers_twin.assert_equal_in_values_and_gradients(*twins, size)


def test_odd_sides_round_up(twins):
    image = torch.zeros(1, 3, 37, 53, dtype=torch.float64)
    assert twins[0].encode(image).shape == (1, 4, 10, 14)
    assert NANO_AUTOENCODER.factor == 4
