import pytest

from monostep.network.sizes import NANO_JOINT_UNET, NETWORKS


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_trained_together_fits_together(name):
    networks = NETWORKS[name]
    assert networks.tiny.latent_channels == networks.kl.latent_channels
    assert networks.unet.out_channels == networks.tiny.latent_channels
    assert networks.unet.in_channels == 2 * networks.tiny.latent_channels
    assert networks.joint_unet.classes == 10
    assert networks.joint_unet.joint


def test_the_joint_network_of_nano_is_the_published_one():
    assert NETWORKS["nano"].joint_unet == NANO_JOINT_UNET
