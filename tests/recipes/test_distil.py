from monostep.network.autoencoder_tiny import AutoencoderTiny
from monostep.network.sizes import NANO_AUTOENCODER
from monostep.recipes import recipe


def _weights(config):
    return sum(parameter.numel() for parameter in AutoencoderTiny(config).parameters())


def test_the_default_codec_fits_the_embedded_models_and_is_smaller_than_theirs():
    student = recipe("distil-decoder").student
    assert student.factor == NANO_AUTOENCODER.factor
    assert _weights(student) < _weights(NANO_AUTOENCODER)


def test_the_second_stage_ends_at_the_firsts_size():
    first, second = recipe("distil-decoder"), recipe("distil-finetune")
    assert first.phases[-1][1:3] == second.phases[-1][1:3]
    assert second.learning_rate < first.learning_rate
