import shutil

import micro_models
import pytest
import torch

from monostep.checkpoints import codec, folder, opening
from monostep.errors import CheckpointError, SettingError
from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Folders `kl` and `tiny` of models, and `bare` of the latter's autoencoder alone."""
    place = tmp_path_factory.mktemp("codecs")
    micro_models.write(place / "kl", kl=True)
    micro_models.write(place / "tiny")
    shutil.copytree(place / "tiny" / "vae", place / "bare")
    return place


@pytest.fixture(scope="module")
def replaced(root):
    autoencoder = opening.load(opening.find(root / "kl")).vae
    assert isinstance(autoencoder, AutoencoderKL)
    return autoencoder


@pytest.mark.parametrize("name", ["tiny", "bare"])
def test_a_model_folder_and_a_bare_one_hold_the_same_codec(root, replaced, name):
    found = codec.load(root / name, replaced)
    assert isinstance(found, AutoencoderTiny)
    expected = opening.load(opening.find(root / "tiny")).vae.state_dict()
    held = found.state_dict()
    assert held.keys() == expected.keys()
    assert all(torch.equal(held[each], expected[each]) for each in expected)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (dict(latent_channels=8), "latents of 8 channels at 1/2 .* have 4 at 1/2: take a codec"),
        (
            dict(encoder_blocks=(1, 1, 1), decoder_blocks=(1, 1, 1)),
            "4 channels at 1/4 .* 4 at 1/2",
        ),
    ],
    ids=["channels", "factor"],
)
def test_a_codec_that_speaks_other_latents_is_refused(tmp_path, replaced, changes, words):
    config = dict(width=8, encoder_blocks=(1, 1), decoder_blocks=(1, 1)) | changes
    other = AutoencoderTiny(AutoencoderTinyConfig(**config))
    folder.save_autoencoder(other, tmp_path, dtype=torch.float32)
    with pytest.raises(CheckpointError, match=words):
        codec.load(tmp_path, replaced)


def test_what_is_no_codec_is_refused_in_one_line(root, replaced, tmp_path):
    (tmp_path / "empty").mkdir()
    weights = tmp_path / "weights"
    config = tmp_path / "config"
    for place, ending in ((weights, "safetensors"), (config, "json")):
        place.mkdir()
        (file,) = (root / "bare").glob(f"*.{ending}")
        shutil.copy(file, place)
    for place, words in [
        (root / "kl", "holds an AutoencoderKL; expected an AutoencoderTiny"),
        (tmp_path / "none", "no such folder"),
        (root / "bare" / "config.json", "no such folder"),
        (tmp_path / "empty", "no weights"),
        (config, "no weights"),
        (weights, "config.json: cannot be read"),
    ]:
        with pytest.raises(CheckpointError, match=words) as caught:
            codec.load(place, replaced)
        assert "\n" not in str(caught.value)
        assert str(caught.value).startswith(str(place))


def test_a_setting_names_kind_and_folder(tmp_path):
    assert codec.parse(f"tiny={tmp_path}") == tmp_path
    assert str(codec.parse("tiny=a=b")) == "a=b"


@pytest.mark.parametrize("setting", ["tiny", "tiny=", "kl=x", "=x", "", "folder"])
def test_another_setting_is_refused(setting):
    with pytest.raises(SettingError, match="expected tiny=FOLDER"):
        codec.parse(setting)
