"""GeoWizard's own beginning: Stable Diffusion's UNet gets classes, and eyes in place of its text.

Source: GeoWizard (Fu et al., ECCV 2024) and its training code.
"""

import dataclasses

import torch

from monostep.checkpoints import (
    folder,
    hub,
    hub_errors,
    networks,
    places,
    registry,
    weight_files,
)
from monostep.checkpoints.found import Checkpoint
from monostep.checkpoints.layout import IMAGE_ENCODER, IMAGE_ENCODER_CONFIG, PREPROCESSOR_CONFIG
from monostep.checkpoints.places import Place
from monostep.diffusion.class_numbers import OF_BOTH
from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.errors import CheckpointError, SettingError
from monostep.network.attention import TransformerBlock
from monostep.network.image_encoder import ImageEncoder
from monostep.network.unet import Embedding, UNet
from monostep.training.beginning import double_inputs
from monostep.training.geometry_config import GeometryConfig

IMAGE_VARIATIONS = "lambdalabs/sd-image-variations-diffusers"  # whose eyes GeoWizard has


def is_text_to_image(found: Checkpoint) -> bool:
    """Whether the UNet of a checkpoint has no input for an image beside the noisy latent."""
    config = networks.unet_config(found.folder, found.unet)
    return config.in_channels == config.out_channels


def from_text_to_image(found: Checkpoint, config: GeometryConfig) -> JointDiffusion:
    """The joint model of a found text-to-image checkpoint; what is new in it is random.

    Raises:
        CheckpointError: weights or an image encoder that cannot be had or are broken.
        SettingError: adapters, which would leave what is new as it is.
    """
    if config.rank:
        raise SettingError(
            f"rank {config.rank}: adapters alone learn, and what start {config.start} lacks for "
            "two maps would stay random; leave rank out"
        )
    found.fetch([*found.unet, *found.vae])  # and not the text encoder: nothing will be read
    unet = networks.unet(found.folder, found.unet)
    encoder = open_image_encoder(config.image_encoder or IMAGE_VARIATIONS)
    see_and_classify(unet, context=encoder.config.outputs, joint=config.attention != "separate")
    double_inputs(unet, halve_bias=config.halve_bias)
    return JointDiffusion(
        unet=unet,
        autoencoder=networks.autoencoder(found.folder, found.vae),
        schedule=dataclasses.replace(folder.load_schedule(found.folder), sampler="ddim"),
        image_encoder=encoder,
    )


def see_and_classify(unet: UNet, *, context: int, joint: bool) -> None:
    """Make GeoWizard's UNet of Stable Diffusion's, which reads text and knows no classes.

    New, and random, are the class embedding and the keys and values of cross-attention, which read
    tokens of width `context`.
    """
    new = dataclasses.replace(unet.config, context=context, classes=OF_BOTH, joint=joint)
    device = unet.conv_in.weight.device
    for block in unet.modules():
        if isinstance(block, TransformerBlock):
            block.attn1.joint = joint
            for name in ("to_k", "to_v"):
                channels = getattr(block.attn2, name).out_features
                layer = torch.nn.Linear(context, channels, bias=False, device=device)
                setattr(block.attn2, name, layer)
    unet.class_embedding = Embedding(OF_BOTH, new.time).to(device)
    unet.config = new


def open_image_encoder(source: str) -> ImageEncoder:
    """The image encoder of a folder or of a repository on the Hub.

    Raises:
        CheckpointError: there is none, it cannot be had, or it is broken.
    """
    place = _place(source)
    if not any(name.startswith(f"{IMAGE_ENCODER}/") for name in place.names):
        if place.snapshot is not None and place.snapshot.offline:
            raise hub_errors.not_cached(place.snapshot.id, place.snapshot.commit, IMAGE_ENCODER)
        raise CheckpointError(
            f"image_encoder {source}: has no {IMAGE_ENCODER}/; give a folder or Hub id that has one"
        )
    try:
        files = weight_files.choose(place.names, IMAGE_ENCODER)
    except CheckpointError as error:
        raise CheckpointError(f"{place.who}: {error}") from error
    place.fetch([IMAGE_ENCODER_CONFIG, PREPROCESSOR_CONFIG, *files])
    return networks.image_encoder(place.folder, files)


def _place(source: str) -> Place:
    try:
        return places.locate(source, revision=None, offline=None)
    except CheckpointError as error:
        if hub.ID.fullmatch(source) or registry.find(source):  # the Hub's words begin with the id
            raise CheckpointError(f"image_encoder {error}") from error
        raise CheckpointError(
            f"image_encoder {source}: neither a folder here nor a Hub id owner/name; give one that "
            f"has {IMAGE_ENCODER}/"
        ) from error
