"""Where a run of a joint network begins: random weights, a geometry model, or text to images."""

import dataclasses
import warnings
from dataclasses import dataclass
from pathlib import Path

from monostep.checkpoints import opening
from monostep.checkpoints.card import Card
from monostep.checkpoints.found import Checkpoint
from monostep.checkpoints.registry import OF_GEOWIZARD
from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.errors import CheckpointError, MonostepWarning, SettingError
from monostep.network import sizes
from monostep.network.image_encoder import ImageEncoder
from monostep.network.unet import UNet
from monostep.training.beginning import (
    AUTOENCODER,
    check_near_end,
    load_start,
    new_card,
    open_autoencoder,
    result_of,
)
from monostep.training.geometry_config import GeometryConfig
from monostep.training.text_to_image import from_text_to_image, is_text_to_image


@dataclass(frozen=True, kw_only=True)
class JointBeginning:
    """A model that will learn, and what the result's card says but for its scores."""

    model: JointDiffusion
    card: Card


def begin_joint(config: GeometryConfig) -> JointBeginning:
    """The model of the config's start, its attention and autoencoder as the run wants them.

    Random weights, and nothing else, come from torch's global generator.

    Raises:
        CheckpointError: a start, autoencoder or image encoder that is not there or broken.
        SettingError: settings that contradict the start, or a start for one map alone.
    """
    model, start = _random(config) if config.start is None else _opened(config.start, config)
    if config.autoencoder is not None and config.start is not None:
        model.vae = open_autoencoder(config.autoencoder, model.unet.config.out_channels)
    check_near_end(config, start)
    return JointBeginning(model=model.train(), card=_card(config, start))


def _random(config: GeometryConfig) -> tuple[JointDiffusion, None]:
    dimensions = sizes.NETWORKS[config.size].joint_unet
    if config.halve_bias:
        raise _no_doubling(dimensions.in_channels)
    dimensions = dataclasses.replace(dimensions, joint=config.attention != "separate")
    model = JointDiffusion(
        unet=UNet(dimensions),
        autoencoder=open_autoencoder(config.autoencoder or AUTOENCODER, dimensions.out_channels),
        schedule=Schedule(alpha_bar=scaled_linear(), target="velocity"),
        image_encoder=ImageEncoder(sizes.NANO_IMAGE_ENCODER),
    )
    return model, None


def _opened(start: str, config: GeometryConfig) -> tuple[JointDiffusion, Card]:
    found, says_itself = _found(result_of(start), config.unet)
    if not says_itself:
        if not is_text_to_image(found):
            raise _one_map(start, "one map", config)
        return from_text_to_image(found, config), found.card
    if found.card.task != "geometry":
        raise _one_map(start, found.card.task, config)
    if config.image_encoder is not None:
        raise SettingError(
            f"image_encoder {config.image_encoder}: start {start} has what it needs; leave it out"
        )
    if config.halve_bias:
        raise _no_doubling(sizes.GEOWIZARD_UNET.in_channels)
    if config.attention != "start":
        card = dataclasses.replace(found.card, attention=config.attention)
        found = dataclasses.replace(found, card=card)
    model = load_start(found, Path(start))
    assert isinstance(model, JointDiffusion)
    return model, found.card


def _found(source: str, unet: str | None) -> tuple[Checkpoint, bool]:
    """The checkpoint, and whether it says itself what it predicts; Stable Diffusion does not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MonostepWarning)  # that it only is where training starts
        try:
            return opening.find(source, unet=unet), True
        except CheckpointError:
            return opening.find(source, task="depth", unet=unet), False


def _card(config: GeometryConfig, start: Card | None) -> Card:
    own = start if start is not None and start.task == "geometry" else None
    says = {name: getattr(own, name, None) or value for name, value in OF_GEOWIZARD.items()}
    asked = {"frame": config.frame, "attention": config.attention}
    says |= {name: value for name, value in asked.items() if value != "start"}
    return new_card(config, start, quantity=config.quantity, invariance="affine", **says)


def _no_doubling(inputs: int) -> SettingError:
    return SettingError(
        f"halve_bias true, but a UNet of {inputs} input channels stays as it is; add --set "
        "halve_bias=false"
    )


def _one_map(start: str, task: str, config: GeometryConfig) -> SettingError:
    return SettingError(
        f"start {start}: predicts {task} alone, {config.recipe} learns depth and normals with one "
        "network; choose a GeoWizard model or Stable Diffusion 2, or leave start out"
    )
