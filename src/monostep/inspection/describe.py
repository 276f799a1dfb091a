"""What a checkpoint is and how it would be run, from its small files alone: no weights are read."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monostep import inference as choices
from monostep.checkpoints import dimensions, folded, layout, networks, scheduler
from monostep.checkpoints.opening import Checkpoint
from monostep.diffusion.class_numbers import OF_BOTH
from monostep.diffusion.sampler import Last, Sampler
from monostep.diffusion.schedule import Schedule
from monostep.errors import SettingError
from monostep.inference import Inference
from monostep.inspection.parameters import parameters
from monostep.network.image_encoder import ImageEncoderConfig
from monostep.network.unet import UNetConfig


@dataclass(frozen=True, kw_only=True)
class Row:
    """One step: its timestep, and the noise level sqrt(1 - abar) told to and given to the UNet.

    Nothing is given at the first step from zeros, which hold neither signal nor noise.
    """

    timestep: int
    told: float
    given: float | None


@dataclass(frozen=True, kw_only=True)
class Description:
    """The facts, the settings as they resolve, the steps they mean, and what is wrong with them."""

    facts: dict[str, Any]
    settings: dict[str, Any]
    steps: tuple[Row, ...]
    cautions: tuple[str, ...]


def describe(checkpoint: Checkpoint, **asked: Any) -> Description:
    """Describe a checkpoint under what is asked (None: the card's own settings).

    Raises:
        CheckpointError: a file is missing or of another family.
        SettingError: a setting that does not exist.
    """
    card = checkpoint.card
    shape = _folded(checkpoint.file) if checkpoint.file else _folder(checkpoint)
    how = choices.resolve(card, **asked)
    sampler = choices.sampler(shape.schedule, how, sees_noise=shape.sees_noise, ends=shape.ends)
    _check_times(checkpoint, shape, sampler, how)
    rows = list(zip(sampler.times, sampler.signals, strict=True))
    firsts = [True] + [False] * (len(rows) - 1)
    return Description(
        facts=_facts(checkpoint, shape),
        settings=how.as_dict(),
        steps=tuple(
            Row(
                timestep=time,
                told=(1 - told**2) ** 0.5,
                given=None if how.noise == "zeros" and first else (1 - given**2) ** 0.5,
            )
            for first, (time, (told, given)) in zip(firsts, rows, strict=True)
        ),
        cautions=tuple(choices.cautions(card, sampler, how)),
    )


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """What the description needs of either form."""

    schedule: Schedule
    channels_in: int
    unet: UNetConfig
    image_encoder: ImageEncoderConfig | None
    autoencoder: str
    sees_noise: bool
    spacing: str
    weight_bytes: int
    weights_where: str
    parameters: int | None = None
    ends: Last | None = None
    times: tuple[int, ...] | None = None  # all that there are; None: any
    folded_for: str = "nothing yet: it is folded when it is loaded"


def _facts(checkpoint: Checkpoint, shape: "_Shape") -> dict[str, Any]:
    """What it is, by name, in the order to be told."""
    card = checkpoint.card
    return {
        "model": card.name,
        "folder": str(checkpoint.folder),
        "source": dict(card.source),
        "task": card.task,
        "quantity": card.quantity,
        "invariance": card.invariance,
        "network_frame": card.frame,
        "family": card.family,
        "grade": card.grade,
        "licence": card.licence,
        "scores": dict(card.scores),
        "domain": card.domain,
        "attention": card.attention,
        "unet": f"{shape.channels_in} channels in, widths {_listed(shape.unet.channels)}",
        "class_embedding": _classes(shape.unet),
        "image_encoder": _image_encoder(shape.image_encoder),
        "autoencoder": shape.autoencoder,
        "parameters": shape.parameters,
        "weights": f"{shape.weight_bytes / 1e9:.2f} GB{shape.weights_where}",
        "predicts": shape.schedule.target,
        "signal_at_the_last_timestep": float(shape.schedule.alpha_bar[-1]) ** 0.5,
        "spacing_in_scheduler_file": shape.spacing,
        "folded_for": shape.folded_for,
    }


def _check_times(checkpoint: Checkpoint, shape: "_Shape", sampler: Sampler, how: Inference) -> None:
    """Raise SettingError for timesteps that a folded file does not have."""
    if shape.times is not None and not set(sampler.times) <= set(shape.times):
        raise SettingError(
            f"{checkpoint.file}: was folded for timesteps {_listed(shape.times)}, and "
            f"{how.steps} {how.spacing} steps visit others; leave steps and spacing out"
        )


def _folder(checkpoint: Checkpoint) -> _Shape:
    folder = checkpoint.folder
    file = layout.read(folder / layout.SCHEDULER_CONFIG)
    unet = networks.unet_config(folder, checkpoint.unet)
    vae = dimensions.autoencoder_from_json(layout.read(folder / layout.VAE_CONFIG))
    looks = networks.image_encoder_dimensions(folder) if checkpoint.image_encoder else None
    count = parameters(unet, vae, looks)
    return _Shape(
        schedule=scheduler.from_json(file),
        channels_in=unet.in_channels,
        unet=unet,
        image_encoder=looks,
        autoencoder=_name(vae),
        sees_noise=unet.in_channels > vae.latent_channels,
        spacing=file.get("timestep_spacing") or "none (leading to diffusers)",
        parameters=count,
        weight_bytes=4 * count,
        weights_where=" in float32",
    )


def _folded(file: Path) -> _Shape:
    said = folded.describe(file)
    shape = said.dimensions
    seen = 2 if shape.sees_noise else 1
    return _Shape(
        schedule=said.schedule,
        channels_in=seen * shape.autoencoder.latent_channels,
        unet=shape.unet,
        image_encoder=shape.image_encoder,
        autoencoder=_name(shape.autoencoder),
        sees_noise=shape.sees_noise,
        spacing="none: the steps are folded in",
        weight_bytes=file.stat().st_size,
        weights_where=" in the file",
        ends=shape.ends,
        times=said.times,
        folded_for=f"timesteps {_listed(said.times)}"
        + (f" from zeros, ending {shape.ends}" if shape.ends else ""),
    )


def _name(autoencoder: object) -> str:
    return type(autoencoder).__name__.removesuffix("Config")


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


def _classes(unet: UNetConfig) -> str | None:
    if unet.classes is None:
        return None
    told = "which map, and the domain" if unet.classes == OF_BOTH else "which map"
    return f"{unet.classes} numbers: {told}"


def _image_encoder(config: ImageEncoderConfig | None) -> str | None:
    if config is None:
        return None
    return (
        f"{config.side}x{config.side} pixels, patches of {config.patch}, {config.layers} layers of "
        f"{config.width}; one token of {config.outputs}"
    )
