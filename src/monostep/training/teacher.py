"""The model that a student learns from: frozen, asked for one step from zero noise."""

from dataclasses import dataclass

import torch

from monostep.checkpoints import opening
from monostep.checkpoints.card import Card
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.schedule import Latent
from monostep.errors import SettingError
from monostep.training import one_step


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A frozen one-step model and its card."""

    network: LatentDiffusion
    card: Card


def open_teacher(source: str) -> Teacher:
    """The teacher of a source.

    Raises:
        CheckpointError: nothing there that can be opened.
        SettingError: a model that is run in many steps or from noise, or makes two maps.
    """
    found = opening.find(source)
    card = found.card
    if len(card.maps) != 1:
        raise SettingError(
            f"teacher {source}: predicts {' and '.join(card.maps)} together, but a student learns "
            "one map; choose a model of depth or of normals"
        )
    if card.steps != 1 or card.noise != "zeros":
        raise SettingError(
            f"teacher {source}: runs in {card.steps} step(s) from {card.noise}, but a student "
            "learns one step from zeros; choose an end-to-end model"
        )
    network = opening.load(found)
    network.requires_grad_(False)  # noqa: FBT003 - torch's own signature
    return Teacher(network=network, card=card)


def clean_latent(network: LatentDiffusion, image_latent: Latent) -> Latent:
    """The scaled latent z_0 that one step from zeros makes of a scaled image latent z_x."""
    return one_step.clean_latent(network, image_latent, torch.zeros_like(image_latent))
