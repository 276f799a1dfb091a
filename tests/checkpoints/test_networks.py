import shutil
import warnings

import diffusers
import pytest
import torch

from monostep.checkpoints import layout, networks, weight_files, weights
from monostep.checkpoints.old_names import NAMES
from monostep.errors import CheckpointError


@pytest.fixture
def place(published, tmp_path):
    return shutil.copytree(published("marigold-depth-v1-0"), tmp_path / "model")


def files(place, part, variant=None):
    return weight_files.choose(layout.names(place), part, variant)


def same(ours, theirs):
    expected = theirs.state_dict()
    assert ours.state_dict().keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in ours.state_dict().items())


def theirs(place):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        unet = diffusers.UNet2DConditionModel.from_pretrained(place / "unet")
        return unet, diffusers.AutoencoderKL.from_pretrained(place / "vae")


def test_every_weight_is_as_diffusers_reads_it(place):
    unet, vae = theirs(place)
    same(networks.unet(place, files(place, "unet")), unet)
    same(networks.autoencoder(place, files(place, "vae")), vae)


@pytest.mark.parametrize("kind", ["bin", "parts", "parts of bin", "fp16"])
def test_so_are_those_of_every_kind_of_file(place, kind):
    unet, vae = theirs(place)
    variant = "fp16" if kind == "fp16" else None
    for network in (unet, vae):
        part = "unet" if network is unet else "vae"
        (place / part / weights.NAME).unlink()
        network = network.half() if variant else network
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network.save_pretrained(
                place / part,
                variant=variant,
                safe_serialization="bin" not in kind,
                max_shard_size="300KB" if "parts" in kind else "10GB",
            )
    assert (len(files(place, "unet", variant)) > 1) == ("parts" in kind)
    same(networks.unet(place, files(place, "unet", variant)), unet.float())
    same(networks.autoencoder(place, files(place, "vae", variant)), vae.float())


@pytest.mark.parametrize("convolutions", [False, True])
def test_an_autoencoder_with_old_names_is_the_same(place, convolutions):
    path = place / "vae" / weights.NAME
    old = {}
    for name, tensor in weights.read(path).items():
        if ".attentions." in name and "group_norm" not in name:
            for before, after in NAMES.items():
                name = name.replace(f".{after}.", f".{before}.")
            tensor = tensor[:, :, None, None] if convolutions and tensor.ndim == 2 else tensor
        old[name] = tensor.clone()
    expected = theirs(place)[1]
    weights.write(path, old)
    same(networks.autoencoder(place, files(place, "vae")), expected)


def test_a_part_of_another_checkpoint_is_named(place, published):
    other = published("stable-diffusion-2") / "unet"
    shutil.copy(other / weights.NAME, place / "unet" / weights.NAME)
    with pytest.raises(
        CheckpointError, match=r"safetensors: conv_in.weight has shape .*, expected"
    ):
        networks.unet(place, files(place, "unet"))
