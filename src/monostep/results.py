"""From decoded members to depth or normals on the input's own grid."""

from collections.abc import Mapping
from dataclasses import asdict
from types import ModuleType
from typing import Any, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from monostep._version import __version__
from monostep.checkpoints.card import Card
from monostep.diffusion import ensemble_depth, ensemble_normals
from monostep.diffusion.merged import Merged
from monostep.geometry import decode, frames, reference
from monostep.geometry.depth import Depth
from monostep.geometry.normals import Normals
from monostep.images import fit as pad
from monostep.images import reference as stretch
from monostep.images.fit import Placement
from monostep.inference import Inference

Result: TypeAlias = Depth | Normals
Decoded: TypeAlias = Float[Tensor, "member channel height width"]
FITS: Mapping[str, ModuleType] = {"pad": pad, "reference": stretch}


def result(
    decoded: Decoded, place: Placement, card: Card, how: Inference, provenance: Mapping[str, Any]
) -> Result:
    """The members' maps, as the decoder gives them, as one result."""
    make = _depth if card.task == "depth" else _normals
    return make(decoded, place, card, how, provenance)


def provenance(
    card: Card, how: Inference, *, dtype: torch.dtype, prompt_tokens: int
) -> dict[str, Any]:
    """All that decides a result's values besides the image."""
    return {
        "monostep": __version__,
        "model": card.name,
        "weights_sha256": card.tensor_hash,
        "source": dict(card.source),
        "grade": card.grade,
        "dtype": str(dtype).removeprefix("torch."),
        "prompt_tokens": prompt_tokens,
        **asdict(how),
    }


def _depth(
    decoded: Decoded, place: Placement, card: Card, how: Inference, provenance: Mapping[str, Any]
) -> Depth:
    # One by one, and before cropping: sums round by a tensor's shape, and ensembles amplify that.
    members = torch.cat([(decode.depth(one) + 1) / 2 for one in decoded.split(1)])
    members = FITS[how.fit].crop(members, place)
    values, uncertainty = members[0], None
    if len(members) > 1:
        merged = ensemble_depth.merge(
            members,
            method=how.merge,  # pyright: ignore[reportArgumentType]
            invariance=card.invariance,  # pyright: ignore[reportArgumentType]
        )
        values, uncertainty = merged.values, _uncertainty(merged, place, how)
    values = reference.min_max(values) if how.fit == "reference" else values
    return Depth(
        tensor=FITS[how.fit].restore(values[None], place)[0].clamp(0, 1),
        quantity=card.quantity,  # pyright: ignore[reportArgumentType]
        invariance=card.invariance,  # pyright: ignore[reportArgumentType]
        uncertainty=uncertainty,
        provenance=provenance,
    )


def _normals(
    decoded: Decoded, place: Placement, card: Card, how: Inference, provenance: Mapping[str, Any]
) -> Normals:
    as_reference = how.fit == "reference"
    clip = card.family != "end-to-end"  # Marigold's models, as they are published
    decoded = FITS[how.fit].crop(decoded, place)
    members = (
        reference.shorten(decoded.float()) if as_reference else decode.normals(decoded, clip=clip)
    )
    values, uncertainty = members[0], None
    if len(members) > 1:
        merged = ensemble_normals.merge(members, method=how.merge)  # pyright: ignore[reportArgumentType]
        values, uncertainty = merged.values, _uncertainty(merged, place, how)
    values = reference.shorten(values[None])[0] if as_reference else values
    restored = FITS[how.fit].restore(values, place)
    frame = frames.check(str(card.frame))
    return Normals(
        tensor=decode.unit(frames.convert(restored, source=frame, target="opencv")[None])[0],
        frame="opencv",
        uncertainty=uncertainty,
        provenance=provenance,
    )


def _uncertainty(merged: Merged, place: Placement, how: Inference) -> Float[Tensor, "height width"]:
    return FITS[how.fit].restore(merged.uncertainty[None], place)[0]
