"""How a model is run: what the user asked for, else what the model's card recommends."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.checkpoints.card import Card
from monostep.diffusion import noise as noises
from monostep.diffusion.sampler import Last, Sampler
from monostep.diffusion.schedule import Schedule
from monostep.diffusion.timesteps import timesteps
from monostep.errors import SettingError
from monostep.geometry import domain as domains

FITS = ("pad", "reference")
LASTS = ("clean", "previous")
MERGES = {"depth": ("pairwise", "joint"), "normals": ("closest", "mean", "closest-map")}
# The first is diffusers', but for the fit of the published scripts, which goes with theirs.
_MERGE = {
    "pad": {"depth": "pairwise", "normals": "closest"},
    "reference": {"depth": "joint", "normals": "closest-map"},
}
# Signal told but not given, as amplitudes sqrt(abar), that counts as a mismatch: rounding of the
# timesteps makes 0.002. What the schedule tells at its very end, where there is none, comes on top.
_UNHEARD = 0.005
_MOST_SEED = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Inference:
    """Every choice that decides the values besides image and weights."""

    resolution: int  # long side at which the network looks, in pixels; 0: the image's own
    fit: str
    steps: int
    ensemble: int
    spacing: str
    noise: str
    last: str  # what the last step returns: z_0 "clean", or the "previous" sample
    merge: str  # how an ensemble becomes one map; a joint model has one for each, "DEPTH,NORMALS"
    seed: int  # of each image's noise
    domain: str | None = None  # where a picture was taken; None: the model is not told

    def as_dict(self) -> dict[str, Any]:
        """The choices as plain values, without the domain where there is none."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def of_map(self, kind: str) -> "Inference":
        """What of it decides one map of a joint model."""
        return replace(self, merge=self.merge_of(kind))

    def merge_of(self, kind: str) -> str:
        """How an ensemble becomes one map of a kind, "depth" or "normals"."""
        (name,) = (name for name in self.merge.split(",") if name in MERGES[kind])
        return name


def resolve(card: Card, **asked: Any) -> Inference:
    """The card's recommendation with what was asked (None: not asked) in its place.

    Raises:
        SettingError: a value that does not exist, or that this kind of model cannot have.
    """
    recommended: dict[str, Any] = {
        "resolution": card.resolution,
        "fit": "pad",
        "steps": card.steps,
        "ensemble": card.ensemble,
        "spacing": card.spacing,
        "noise": card.noise,
        "last": card.last,
        "seed": 0,
    }
    chosen = recommended | {name: value for name, value in asked.items() if value is not None}
    _check_names(chosen)
    _check_numbers(chosen)
    chosen["merge"] = _merge(card, chosen["fit"], asked.get("merge"))
    chosen["domain"] = _domain(card, asked.get("domain"))
    if asked.get("merge") is not None and chosen["ensemble"] == 1:
        raise SettingError(
            f"merge {asked['merge']!r}: an ensemble of 1 has nothing to merge; ask for ensemble 2 "
            "or more"
        )
    inference = Inference(**chosen)
    if (inference.spacing == "lcm") != (card.family == "consistency"):
        raise SettingError(
            f"spacing {inference.spacing!r}: {card.name} is "
            f"{'a' if card.family == 'consistency' else 'no'} consistency model (LCM); leave "
            f"spacing out for {card.spacing!r}"
        )
    return inference


def check_merge(asked: str | None, card: Card, kinds: Collection[str]) -> None:
    """Raise SettingError for how to merge a map that a joint model is not to give.

    Args:
        asked: the names, each known to `resolve`.
        card: the model's.
        kinds: of maps that it is to give.
    """
    for kind in card.maps:
        for name in (name.strip() for name in (asked or "").split(",")):
            if kind not in kinds and name in MERGES[kind]:
                raise SettingError(
                    f"merge {name!r}: is of {kind}, and only {' and '.join(kinds)} is asked for; "
                    f"choose {', '.join(n for k in kinds for n in MERGES[k])}"
                )


def sampler(
    schedule: Schedule, inference: Inference, *, sees_noise: bool, ends: Last | None = None
) -> Sampler:
    """The way from noise to clean; SettingError where the network cannot go it.

    Args:
        schedule: of the noise.
        inference: the settings.
        sees_noise: whether the network has an input for a noisy latent.
        ends: what its only step returns, where that is in its weights.
    """
    if ends not in (None, inference.last):
        raise SettingError(
            f"last {inference.last!r}: this model was folded for {ends!r}; leave it out, or fold "
            "the checkpoint again"
        )
    if not sees_noise and (inference.steps, inference.noise) != (1, "zeros"):
        raise SettingError(
            f"steps {inference.steps}, noise {inference.noise}: this model has no input for a "
            "noisy latent (a UNet of 4 channels, or folded so); it can only take 1 step from zeros"
        )
    times = timesteps(schedule, spacing=inference.spacing, steps=inference.steps)
    last = "clean" if inference.last == "clean" or ends is not None else "previous"
    return Sampler(schedule=schedule, times=times, last=last)


def draws(
    inference: Inference, sampler: Sampler, size: tuple[int, int, int]
) -> Float[Tensor, "draw member channel height width"]:
    """All noise of one image: where each member starts, then what its steps are given."""
    generator = torch.Generator().manual_seed(inference.seed)
    members, level = inference.ensemble, sampler.times[0] / len(sampler.schedule.alpha_bar)
    first = noises.draw(
        inference.noise, size=size, members=members, generator=generator, level=level
    )
    # Fresh noise for one member's whole way, then for the next one's, as diffusers draws it.
    fresh = noises.draw_each(sampler.draws - 1, size=size, members=members, generator=generator)
    return torch.cat([first[None], fresh])


def cautions(card: Card, sampler: Sampler, inference: Inference) -> list[str]:
    """What will make the results worse than they need be, and the cure, one line each."""
    lines = []
    inherent = float(sampler.schedule.alpha_bar[-1]) ** 0.5
    for step, (told, given) in enumerate(sampler.signals):
        if told - max(given, inherent) > _UNHEARD:
            lines.append(
                f"{card.name} with {inference.spacing} spacing, step {step + 1} of "
                f"{inference.steps}: the network is told t = {sampler.times[step]}, a latent with "
                f"signal {told:.2f}, and gets one with {given:.2f}; use spacing trailing"
            )
            break
    asked = (inference.steps, inference.noise, inference.spacing)
    if card.family == "end-to-end" and asked != (1, "zeros", "trailing"):
        lines.append(
            f"{card.name} was fine-tuned for 1 trailing step from zeros and was never trained for "
            f"{asked[0]} {asked[2]} from {asked[1]}; leave steps, spacing and noise out"
        )
    if inference.ensemble > 1 and inference.noise == "zeros" and sampler.draws == 1:
        lines.append(
            f"an ensemble of {inference.ensemble} from zeros: all members are equal, at "
            f"{inference.ensemble} times the cost; use ensemble 1 or another noise"
        )
    return lines


def _merge(card: Card, fit: str, asked: str | None) -> str:
    """How an ensemble becomes one map; the names of depth and of normals have none in common."""
    kind_of = {name: kind for kind in card.maps for name in MERGES[kind]}
    names = [] if asked is None else [name.strip() for name in str(asked).split(",")]
    wanted = {kind_of.get(name): name for name in names}
    if None in wanted or len(wanted) < len(names):
        both = ", or one for depth and one for normals with a comma between"
        raise SettingError(
            f"merge {asked!r}: choose {', '.join(kind_of)}{both if len(card.maps) > 1 else ''}"
        )
    return ",".join(wanted.get(kind, _MERGE[fit][kind]) for kind in card.maps)


def _domain(card: Card, asked: str | None) -> str | None:
    if card.task == "geometry":
        return domains.check(str(card.domain) if asked is None else asked)
    if asked is not None:
        raise SettingError(
            f"domain {asked!r}: this model is not told where a picture was taken; leave domain out"
        )
    return None


def _check_names(chosen: Mapping[str, Any]) -> None:
    known = {"fit": FITS, "noise": noises.KINDS, "last": LASTS}
    for name, choices in known.items():
        if chosen[name] not in choices:
            raise SettingError(f"{name} {chosen[name]!r}: choose {', '.join(choices)}")


def _check_numbers(chosen: Mapping[str, Any]) -> None:
    for name, least in {"resolution": 0, "steps": 1, "ensemble": 1, "seed": 0}.items():
        value = chosen[name]
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not least <= value <= _MOST_SEED:
            raise SettingError(f"{name} {value!r}: expected a whole number from {least} up")
