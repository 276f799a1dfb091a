import joint_models
import pytest

from monostep.inspection.parameters import parameters
from monostep.network import sizes


def test_a_models_own_parameters_are_counted():
    model = joint_models.model()
    made = parameters(model.unet.config, model.vae.config, model.image_encoder.config)
    assert made == sum(weight.numel() for weight in model.parameters())


@pytest.mark.slow
def test_the_published_sizes():
    assert parameters(sizes.SD2_UNET, sizes.SD2_AUTOENCODER) == 865_922_244 + 83_653_863
    geowizard = parameters(sizes.GEOWIZARD_UNET, sizes.SD2_AUTOENCODER, sizes.CLIP_LARGE)
    assert geowizard == 861_186_244 + 83_653_863 + 303_966_208
