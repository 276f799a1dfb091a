"""Files of models that predict depth and normals together."""

import dataclasses
import json

import joint_models
import pytest
import shaken_models
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from shaken_models import SMALL_UNET

from monostep.checkpoints import folded
from monostep.checkpoints.folded import NETWORK
from monostep.errors import CheckpointError, SettingError
from monostep.feedforward.fold import fold
from monostep.feedforward.joint import JointFeedForward
from monostep.feedforward.layers import Weighted

PLAIN_NORMALS = {"task": "normals", "domain": None, "attention": None}

NORMALS = {"task": "normals", "domain": None, "attention": None}


def _map(network):
    image = shaken_models.picture(20, 28).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        return network(image, torch.tensor([1]))


def _saying(file, path, said):
    """The file again with other words in its card."""
    with safe_open(file, framework="pt") as opened:
        old = json.loads(opened.metadata()[folded.KEY])
    save_file(load_file(file), path, {folded.KEY: json.dumps(said(old))})
    return path


@pytest.fixture(scope="module", params=[False, True], ids=["a picture", "words"])
def joint_file(request, tmp_path_factory):
    """A folded file of depth and normals together, not to be written in."""
    unet = dataclasses.replace(SMALL_UNET, classes=4 if request.param else 10, joint=True)
    model = joint_models.model(words=request.param, unet=unet)
    path = tmp_path_factory.mktemp("folded") / "joint.safetensors"
    folded.save(fold(model, channels=3, times=(999,), only="clean"), joint_models.CARD, path)
    return path


def test_a_joint_file_is_what_was_folded(joint_file, tmp_path):
    network = folded.load(joint_file)
    assert isinstance(network, JointFeedForward)
    assert network.dimensions.unet.joint
    assert folded.read_card(joint_file).attention == "joint"
    card = folded.save(network, joint_models.CARD, tmp_path / "again.safetensors")
    assert card == folded.read_card(joint_file)
    again = folded.load(tmp_path / "again.safetensors")
    assert again.dimensions == network.dimensions
    assert torch.equal(_map(again), _map(network))


def test_the_attention_of_a_joint_file_is_chosen_at_load(joint_file, tmp_path):
    joint, separate = (folded.load(joint_file, attention=each) for each in ("joint", "separate"))
    assert torch.equal(_map(joint), _map(folded.load(joint_file)))
    assert (_map(separate) - _map(joint)).abs().max() > 1e-3
    assert not folded.describe(joint_file, attention="separate").dimensions.unet.joint
    plain = fold(shaken_models.model("tiny", unet=SMALL_UNET), channels=1, times=(999,))
    file, card = tmp_path / "plain.safetensors", joint_models.CARD
    folded.save(plain, dataclasses.replace(card, task="depth", domain=None, attention=None), file)
    for path, asked, words in [
        (joint_file, "crossed", "attention 'crossed': choose joint or separate"),
        (file, "joint", "attention 'joint': tiny-geometry predicts depth alone"),
    ]:
        with pytest.raises(SettingError, match=words):
            folded.load(path, attention=asked)


def test_a_separate_card_is_a_separate_network(joint_file, tmp_path):
    path = _saying(
        joint_file, tmp_path / "m.safetensors", lambda said: said | {"attention": "separate"}
    )
    assert torch.equal(_map(folded.load(path)), _map(folded.load(joint_file, attention="separate")))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (lambda said: said | PLAIN_NORMALS, "task normals, UNet classes"),
        (lambda said: said | {"domain": None}, "must say its .*domain"),
        (lambda said: said | {NETWORK: said[NETWORK] | {"image_encoder": {}}}, "not describe"),
    ],
    ids=["task", "domain", "image encoder"],
)
def test_a_joint_card_that_says_something_else_is_refused(joint_file, tmp_path, said, words):
    path = _saying(joint_file, tmp_path / "other.safetensors", said)
    with pytest.raises(CheckpointError, match=words) as caught:
        folded.load(path)
    assert "\n" not in str(caught.value)


def test_all_large_weights_of_a_joint_file_may_stay_in_it(joint_file, monkeypatch):
    monkeypatch.setattr(folded, "LARGE", 1000)
    lean = folded.load(joint_file, leave=10**9)
    absent = {
        name.split(".")[0]
        for name, each in lean.named_modules()
        if isinstance(each, Weighted) and each.weight is None
    }
    looks = {"image_encoder"} if lean.side else set()
    assert absent == {"encoder", "decoder", "unet"} | looks
    torch.testing.assert_close(_map(lean), _map(folded.load(joint_file)), rtol=0, atol=1e-5)
