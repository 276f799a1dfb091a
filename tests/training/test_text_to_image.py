import re
import shutil

import geowizard_folders
import marigold_folders
import pytest
import torch

from monostep.checkpoints import hub, networks, weight_files
from monostep.checkpoints.layout import names
from monostep.errors import CheckpointError, SettingError
from monostep.recipes import recipe
from monostep.training.joint_beginning import begin_joint
from monostep.training.overriding import override
from monostep.training.text_to_image import open_image_encoder

NEW = ("class_embedding", "attn2.to_k", "attn2.to_v")


@pytest.fixture(scope="module")
def stable(tmp_path_factory):
    path = tmp_path_factory.mktemp("published") / "stable-diffusion-2"
    return marigold_folders.write(path, "stable-diffusion-2")


@pytest.fixture(scope="module")
def eyes(tmp_path_factory):
    return geowizard_folders.write(tmp_path_factory.mktemp("eyes") / "variations", "geowizard")


def _config(stable, eyes, *settings, name="geowizard"):
    return override(recipe(name), [f"start={stable}", f"image_encoder={eyes}", *settings])


@pytest.mark.parametrize("name", ["geowizard", "geowizard-e2e"])
def test_what_fits_is_kept_and_what_is_new_is_random(stable, eyes, name):
    beginning = begin_joint(_config(stable, eyes, name=name))
    theirs = networks.unet(stable, weight_files.choose(names(stable), "unet"))
    ours, kept = beginning.model.unet.state_dict(), theirs.state_dict()
    assert {key for key in ours.keys() ^ kept.keys()} == {
        key for key in ours if "class_embedding" in key
    }
    for key, tensor in kept.items():
        if key == "conv_in.weight":
            assert torch.equal(ours[key], torch.cat([tensor, tensor], dim=1) / 2)
        elif not any(new in key for new in NEW):
            assert torch.equal(ours[key], tensor), key
    config = beginning.model.unet.config
    encoder = beginning.model.image_encoder
    assert (config.in_channels, config.classes, config.joint) == (8, 10, True)
    assert config.context == encoder.config.outputs
    stored = open_image_encoder(str(eyes)).state_dict()
    assert all(torch.equal(encoder.state_dict()[key], stored[key]) for key in stored)
    card = beginning.card
    assert (card.task, card.frame, card.attention) == ("geometry", "opencv", "joint")
    assert card.source["start"] == "stable-diffusion-2"


def test_it_predicts_and_each_half_sees_the_other(stable, eyes):
    model = begin_joint(_config(stable, eyes)).model.eval()
    alone = begin_joint(_config(stable, eyes, "attention=separate")).model.eval()
    alone.load_state_dict(model.state_dict())
    image = torch.rand(1, 3, 32, 48) * 2 - 1
    with torch.no_grad():
        maps, separate = model(image), alone(image)
    assert maps.shape == (2, 3, 32, 48)
    assert (maps - separate).abs().max() > 1e-4 * maps.std()


def test_the_bias_is_halved_only_if_asked(stable, eyes):
    kept, halved = (
        begin_joint(_config(stable, eyes, f"halve_bias={value}")).model.unet.conv_in.bias
        for value in ("false", "true")
    )
    torch.testing.assert_close(halved * 2, kept)


def test_adapters_are_refused(stable, eyes):
    with pytest.raises(SettingError, match="leave rank out"):
        begin_joint(_config(stable, eyes, "rank=2"))


def test_eyes_that_are_not_there_are_told_in_one_sentence(eyes, tmp_path, monkeypatch):
    for source, said in {
        str(tmp_path): r"has no image_encoder/; give a folder or Hub id that has one",
        str(tmp_path / "none"): "neither a folder here nor a Hub id owner/name; give one that",
        "own/eyes": "no folder here, and the checkpoint is not in the cache; offline",
    }.items():
        monkeypatch.setattr(hub, "_is_offline", lambda: True)
        with pytest.raises(CheckpointError) as caught:
            open_image_encoder(source)
        assert re.match(rf"image_encoder {re.escape(source)}: {said}", str(caught.value))
        assert str(caught.value).count(source) < 3
    shutil.copytree(eyes / "image_encoder", tmp_path / "image_encoder")
    (tmp_path / "image_encoder" / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=rf"^{tmp_path}: image_encoder/: no weights"):
        open_image_encoder(str(tmp_path))
