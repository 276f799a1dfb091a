import shutil
import warnings

import diffusers
import pytest
import torch
import transformers

from monostep.checkpoints import layout, networks, weight_files, weights
from monostep.checkpoints.old_names import NAMES
from monostep.errors import CheckpointError
from monostep.network.sizes import TINY_IMAGE_ENCODER


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


def encoders_files(place):
    return weight_files.choose(layout.names(place), "image_encoder")


@pytest.mark.parametrize("part", ["unet", "unet_v2"])
def test_a_unet_with_classes_is_as_diffusers_reads_it(geowizard, part):
    place = geowizard("geowizard")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = diffusers.UNet2DConditionModel.from_pretrained(place / part)
    for joint in (True, False):
        network = networks.unet(place, files(place, part), joint=joint)
        same(network, expected)
        assert network.config.joint == joint
    assert networks.unet_config(place, files(place, part)).classes == (10 if part == "unet" else 4)


def test_a_unet_without_classes_is_never_joint(place):
    assert not networks.unet(place, files(place, "unet"), joint=True).config.joint


@pytest.mark.parametrize("kind", ["safetensors", "bin", "with old numbers", "fp16"])
def test_an_image_encoder_is_as_transformers_reads_it(geowizard, tmp_path, kind):
    place = shutil.copytree(geowizard("geowizard-e2e"), tmp_path / "model")
    expected = transformers.CLIPVisionModelWithProjection.from_pretrained(place / "image_encoder")
    path = place / "image_encoder" / "model.safetensors"
    stored = weights.read(path)
    if kind != "safetensors":
        path.unlink()
    if kind == "bin":
        torch.save(stored, place / "image_encoder" / "pytorch_model.bin")
    elif kind == "with old numbers":  # as files of 2022 have them, in whole numbers
        weights.write(path, {**stored, networks.UNUSED[0]: torch.arange(17)[None]})
    elif kind == "fp16":
        weights.write(path.with_name("model.fp16.safetensors"), half(stored))
        expected = expected.half().float()
    network = networks.image_encoder(place, encoders_files(place))
    same(network, expected)
    assert network.config == TINY_IMAGE_ENCODER


def half(tensors):
    return {name: tensor.half() for name, tensor in tensors.items()}


def test_a_pickled_image_encoder_that_could_run_code_is_not_loaded(geowizard, tmp_path):
    place = shutil.copytree(geowizard("geowizard-e2e"), tmp_path / "model")
    (place / "image_encoder" / "model.safetensors").unlink()
    torch.save({"weight": shutil.rmtree}, place / "image_encoder" / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="not loaded, since such a file can run code"):
        networks.image_encoder(place, encoders_files(place))


def test_an_image_encoder_without_its_preprocessing_is_named(geowizard, tmp_path):
    place = shutil.copytree(geowizard("geowizard-e2e"), tmp_path / "model")
    (place / "feature_extractor" / "preprocessor_config.json").unlink()
    with pytest.raises(CheckpointError, match=r"preprocessor_config\.json: .*model folder\?"):
        networks.image_encoder(place, encoders_files(place))


def test_a_part_of_another_checkpoint_is_named(place, published):
    other = published("stable-diffusion-2") / "unet"
    shutil.copy(other / weights.NAME, place / "unet" / weights.NAME)
    with pytest.raises(
        CheckpointError, match=r"safetensors: conv_in.weight has shape .*, expected"
    ):
        networks.unet(place, files(place, "unet"))
