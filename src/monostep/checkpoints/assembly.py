"""A model from its parts, once all of them are read and found to fit each other."""

from pathlib import Path
from typing import Any, TypeAlias

from torch import Tensor

from monostep.diffusion.class_numbers import OF_BOTH, OF_GEOMETRY
from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.diffusion.latent_diffusion import Autoencoder, LatentDiffusion
from monostep.diffusion.schedule import Schedule
from monostep.errors import CheckpointError
from monostep.network.image_encoder import ImageEncoder
from monostep.network.unet import UNet

# What a UNet reads: a prompt [token, width], one of each domain, or what an encoder sees.
Context: TypeAlias = Tensor | ImageEncoder


def assemble(
    place: Path, *, unet: UNet, autoencoder: Autoencoder, schedule: Schedule, context: Context
) -> LatentDiffusion:
    """The model, ready to predict; a JointDiffusion if its UNet has classes.

    Raises:
        CheckpointError: parts of different checkpoints; the message names `place`.
    """
    _check(place, unet, context)
    parts: dict[str, Any] = dict(unet=unet, autoencoder=autoencoder, schedule=schedule)
    if isinstance(context, ImageEncoder):
        model = JointDiffusion(**parts, image_encoder=context)
    elif unet.config.classes is not None:
        model = JointDiffusion(**parts, prompts=context)
    else:
        model = LatentDiffusion(**parts, prompt=context)
    return model.eval()


def _check(place: Path, unet: UNet, context: Context) -> None:
    seen = isinstance(context, ImageEncoder)
    what, width, classes = (
        ("image encoder's vector", context.config.outputs, OF_BOTH)
        if isinstance(context, ImageEncoder)
        else ("prompt", context.shape[-1], OF_GEOMETRY if context.ndim == 3 else None)
    )
    if unet.config.classes != classes:
        raise CheckpointError(
            f"{place}: the UNet is told {unet.config.classes or 'no'} numbers of a class, with "
            f"this {what} it must be {classes or 'none'}; they belong to different checkpoints"
        )
    if width != unet.config.context:
        whose = "image encoder" if seen else "text encoder"
        raise CheckpointError(
            f"{place}: the {what} is {width} wide, the UNet expects {unet.config.context}; {whose} "
            "and UNet belong to different checkpoints"
        )
