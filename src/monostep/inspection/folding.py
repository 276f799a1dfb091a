"""A checkpoint into the feed-forward form, and the proof on the spot that it says the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from monostep import inference as choices
from monostep.checkpoints import codec as codecs
from monostep.checkpoints import folded, opening
from monostep.checkpoints.card import Card
from monostep.checkpoints.opening import Checkpoint
from monostep.data.procedural.render import render
from monostep.data.splits import SEEDS
from monostep.device import DTYPES
from monostep.errors import CheckpointError, SettingError
from monostep.feedforward.int8 import quantise
from monostep.feedforward.network import FeedForward, cast
from monostep.geometry.domain import DOMAINS
from monostep.inference import Inference
from monostep.inspection.differences import Difference, Observed, Seen, largest

# Largest difference that is rounding: of depth in [0, 1], of normals in degrees (`differences`).
TOLERANCES = {"depth": 1e-4, "normals": 0.05}
# Largest mean error that 16 and 8 bits may make: more is no rounding, but overflow.
REDUCED = {"depth": 0.05, "normals": 5.0}
# Both divisible by 8; the second has skips of 2n-1 rows and columns.
SIZES = ((96, 128), (88, 152))
STORED = (*DTYPES, "int8")
_CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True)
class Folding:
    """What was written, and how far it is from what it was folded from."""

    file: Path
    card: Card
    dtype: str
    folded: tuple[Difference, ...]  # in float32
    stored: tuple[Difference, ...]  # in the precision of the file; empty for float32


def fold(
    checkpoint: Checkpoint,
    file: Path,
    *,
    dtype: str = "fp32",
    codec: Path | None = None,
    sizes: Sequence[tuple[int, int]] = SIZES,
    asked: Mapping[str, Any] | None = None,
) -> Folding:
    """Fold a checkpoint, compare both forms in float32 on pictures, and write the folded one.

    Args:
        checkpoint: of any family; not a folded file.
        file: to write; its name ends in .safetensors.
        dtype: of the stored weights: fp32, bf16, fp16, or int8 for large layers' weights.
        codec: folder of a small autoencoder to use in place of the checkpoint's.
        sizes: (height, width) of the pictures that both forms look at, at their own resolution.
        asked: steps, spacing, noise and last to fold for, and the domain that the card names; what
            is absent is as the card says.

    Raises:
        CheckpointError: the forms differ by more than rounding; nothing is written then.
        SettingError: an ending, precision or setting that does not exist.
    """
    if file.suffix != folded.ENDING:
        raise SettingError(f"-o {file}: expected a name that ends in {folded.ENDING}")
    if dtype not in STORED:
        raise SettingError(f"dtype {dtype!r}: choose {', '.join(STORED)}")
    how = choices.resolve(checkpoint.card, **(asked or {}), resolution=0)
    card = _card(checkpoint, how, codec)
    pictures = [render(SEEDS["test"], [0], size).image[0] for size in sizes]

    plain = opening.load(checkpoint)
    small = None if codec is None else codecs.load(codec, plain.vae)
    plain.vae = plain.vae if small is None else small
    way = choices.sampler(plain.schedule, how, sees_noise=plain.sees_noise)
    wanted = _seen(Observed(plain, card, device=_CPU, dtype=torch.float32), pictures, how)
    small = None if codec is None else codecs.load(codec, plain.vae)
    del plain

    alone = (how.steps, how.noise) == (1, "zeros")
    only = way.last if alone else None
    network = opening.fold(checkpoint, times=way.times, only=only, codec=small)
    exact = _differences(network, torch.float32, card, pictures, how, wanted)
    _check(exact, TOLERANCES, card, "the folded form differs from the checkpoint by")
    rounded: tuple[Difference, ...] = ()
    if dtype != "fp32":
        stored = DTYPES.get(dtype)
        network = quantise(network) if stored is None else cast(network, stored)
        rounded = _differences(network, network.dtype, card, pictures, how, wanted)
        means = tuple(replace(one, largest=one.mean) for one in rounded)
        _check(means, REDUCED, card, f"stored as {dtype} it is off, on average, by")
    card = folded.save(network, card, file)
    folded.check_hash(file, card)
    return Folding(file=file, card=card, dtype=dtype, folded=exact, stored=rounded)


def _card(checkpoint: Checkpoint, how: Inference, codec: Path | None) -> Card:
    """The card with the settings that were folded in, which are what it recommends now."""
    source = dict(checkpoint.card.source)
    if codec is not None:
        source["codec"] = codec.resolve().name
    return replace(
        checkpoint.card,
        steps=how.steps,
        spacing=how.spacing,  # pyright: ignore[reportArgumentType]
        noise=how.noise,  # pyright: ignore[reportArgumentType]
        last=how.last,  # pyright: ignore[reportArgumentType]
        domain=how.domain,
        scores={} if codec is not None else checkpoint.card.scores,
        source=source,
    )


def _seen(predictor: Observed, pictures: Sequence[Tensor], how: Inference) -> list[list[Seen]]:
    """Of each picture, in each domain if the model is told one."""
    alone = replace(how, ensemble=1)  # merging amplifies rounding; the members are what is folded
    ways = [alone] if how.domain is None else [replace(alone, domain=name) for name in DOMAINS]
    return [[predictor.see(picture, way) for way in ways] for picture in pictures]


def _differences(
    network: FeedForward,
    dtype: torch.dtype,
    card: Card,
    pictures: Sequence[Tensor],
    how: Inference,
    wanted: Sequence[Sequence[Seen]],
) -> tuple[Difference, ...]:
    seen = _seen(Observed(network, card, device=_CPU, dtype=dtype), pictures, how)
    pairs = list(zip(seen, wanted, strict=True))
    return tuple(largest(kind, *pair) for pair in pairs for kind in card.maps)


def _check(
    differences: Sequence[Difference], allowed: Mapping[str, float], card: Card, what: str
) -> None:
    for kind in card.maps:
        each = [one.largest for one in differences if one.map == kind]
        worst, limit = float(torch.tensor(each).max()), allowed[kind]  # NaN if one is
        if not worst <= limit:
            unit = {"depth": "", "normals": " degrees"}[kind]
            raise CheckpointError(
                f"{card.name}: {what} {worst:.3g}{unit}, allowed are {limit:g}; nothing was written"
            )
