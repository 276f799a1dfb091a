import pytest

from monostep.errors import SettingError
from monostep.network.autoencoder_kl import AutoencoderKLConfig
from monostep.recipes import recipe
from monostep.training.overriding import override


def _codec(*settings):
    return override(recipe("distil-decoder"), settings)


def test_the_students_dimensions_are_the_familys_defaults_and_what_is_set():
    tiny = _codec("width=8", "decoder_blocks=[2,0,1]").student
    default = _codec().student
    assert (tiny.width, tiny.decoder_blocks) == (8, (2, 0, 1))
    assert tiny.encoder_blocks == default.encoder_blocks
    kl = _codec("family=kl", "channels=[8,16]", "groups=4").student
    assert kl == AutoencoderKLConfig(channels=(8, 16), layers=1, groups=4, scale=1.0)


@pytest.mark.parametrize("family", ["tiny", "kl"])
def test_latents_are_the_teachers_scaled_ones(family):
    assert _codec(f"family={family}").student.scale == 1.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["channels=[8,8]"], "channels is not a setting of family tiny, which has: width, "),
        (["family=kl", "width=8"], "width is not a setting of family kl, which has: channels, "),
        (["width=0"], "expected a width above 0"),
        (["encoder_blocks=[1,1]"], "as many numbers"),
        (["encoder_blocks=[]", "decoder_blocks=[]"], "as many numbers"),
        (["encoder_blocks=[1,1,-1]"], "numbers from 0"),
        (["family=kl", "channels=[8,12]"], "divisible by the groups"),
        (["family=kl", "layers=0"], "numbers above 0"),
        (["near=0"], "near is 0.0: it must be above 0"),
        (["edge_weight=-1"], "edge_weight is -1.0: it must be 0 or above"),
        (["images=a", "cache=b"], "cache .* images a takes their place; leave one of the two out"),
        (["images=a", "data=b.csv"], "data .* leave one of the two out"),
        (["images=a", "weights=2"], "weights .* leave one of the two out"),
        (["images=a", "validation_data=b.csv"], "validation_data .* leave one of the two out"),
        (["latent_weight=0"], "latent_weight is 0.0: it must be above 0"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line(settings, message):
    with pytest.raises(SettingError, match=message) as error:
        _codec(*settings)
    assert "\n" not in str(error.value)


def test_a_missing_teacher_or_start_is_named_with_the_cure():
    with pytest.raises(SettingError, match="distil-decoder needs a teacher: add --set teacher="):
        _ = _codec().teacher_name
    with pytest.raises(SettingError, match="needs a student: add --set start="):
        _ = recipe("distil-finetune").start_name
