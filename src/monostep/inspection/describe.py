"""What a checkpoint is and how it would be run, from its small files alone: no weights are read."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from monostep import inference as choices
from monostep.checkpoints import dimensions, layout, scheduler
from monostep.checkpoints.card import Card


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


def describe(folder: Path, card: Card, **asked: Any) -> Description:
    """Describe a checkpoint's folder under what is asked (None: the card's own settings).

    Raises:
        CheckpointError: a file is missing or of another family.
        SettingError: a setting that does not exist.
    """
    file = layout.read(folder / layout.SCHEDULER_CONFIG)
    unet = dimensions.unet_from_json(layout.read(folder / layout.UNET_CONFIG))
    vae = dimensions.autoencoder_from_json(layout.read(folder / layout.VAE_CONFIG))
    how = choices.resolve(card, **asked)
    schedule = scheduler.from_json(file)
    sampler = choices.sampler(schedule, how, sees_noise=unet.in_channels > vae.latent_channels)
    rows = list(zip(sampler.times, sampler.signals, strict=True))
    firsts = [True] + [False] * (len(rows) - 1)
    facts = {
        "model": card.name,
        "folder": str(folder),
        "source": dict(card.source),
        "task": card.task,
        "quantity": card.quantity,
        "invariance": card.invariance,
        "network_frame": card.frame,
        "family": card.family,
        "grade": card.grade,
        "licence": card.licence,
        "scores": dict(card.scores),
        "unet": f"{unet.in_channels} channels in, widths {', '.join(map(str, unet.channels))}",
        "autoencoder": type(vae).__name__.removesuffix("Config"),
        "predicts": schedule.target,
        "signal_at_the_last_timestep": float(schedule.alpha_bar[-1]) ** 0.5,
        "spacing_in_scheduler_file": file.get("timestep_spacing") or "none (leading to diffusers)",
    }
    return Description(
        facts=facts,
        settings=asdict(how),
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
