import pytest

from monostep.checkpoints import dimensions
from monostep.errors import CheckpointError
from monostep.network import sizes

UNETS = [sizes.SD2_UNET, sizes.NANO_UNET, sizes.TINY_UNET]
AUTOENCODERS = [sizes.SD2_AUTOENCODER, sizes.NANO_AUTOENCODER, sizes.NANO_AUTOENCODER_KL]


@pytest.mark.parametrize("config", UNETS)
def test_unet_dimensions_survive_json(config):
    assert dimensions.unet_from_json(dimensions.unet_to_json(config)) == config


@pytest.mark.parametrize("config", AUTOENCODERS)
def test_autoencoder_dimensions_survive_json(config):
    assert dimensions.autoencoder_from_json(dimensions.autoencoder_to_json(config)) == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"block_out_channels": None}, "missing or of another family"),
        ({"use_linear_projection": False}, "Stable Diffusion 1"),
        ({"up_block_types": ["UpBlock2D"] * 4}, "not of the SD2 family"),
        ({"down_block_types": ["AttnDownBlock2D"] * 4}, "not of the SD2 family"),
    ],
)
def test_a_unet_of_another_family_is_refused(change, message):
    config = dimensions.unet_to_json(sizes.TINY_UNET)
    with pytest.raises(CheckpointError, match=message):
        dimensions.unet_from_json({**config, **change})


def test_an_unknown_autoencoder_is_refused():
    with pytest.raises(CheckpointError, match="VQModel; expected AutoencoderKL or AutoencoderTiny"):
        dimensions.autoencoder_from_json({"_class_name": "VQModel"})
    with pytest.raises(CheckpointError, match="latent_channels"):
        dimensions.autoencoder_from_json(
            {"_class_name": "AutoencoderKL", "block_out_channels": [8], "layers_per_block": 1}
        )
