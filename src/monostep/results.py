"""From decoded members to depth, normals or both on the input's own grid."""

from collections.abc import Mapping
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
from monostep.geometry.geometry import Geometry
from monostep.geometry.normals import Normals
from monostep.images import fit as pad
from monostep.images import reference as stretch
from monostep.images import reference_geowizard as stretch_joint
from monostep.images.fit import Placement
from monostep.inference import Inference

MapResult: TypeAlias = Depth | Normals
Result: TypeAlias = MapResult | Geometry
Members: TypeAlias = Float[Tensor, "member channel height width"]
FITS: Mapping[str, ModuleType] = {"pad": pad, "reference": stretch}


def fits(card: Card, how: Inference) -> ModuleType:
    """The way onto the network's grid and back: of the published scripts, each family's own."""
    joint_reference = card.task == "geometry" and how.fit == "reference"
    return stretch_joint if joint_reference else FITS[how.fit]


def result(
    decoded: Float[Tensor, "map member channel height width"],
    place: Placement,
    card: Card,
    how: Inference,
    provenance: Mapping[str, Any],
) -> Result:
    """The members' maps, as the decoder gives them, as one result.

    Of a joint model two kinds are decoded, first depth, and the result is a Geometry.
    """
    make = {"depth": _depth, "normals": _normals}
    maps = {
        kind: make[kind](members, place, card, how, {**provenance, "merge": how.merge_of(kind)})
        for kind, members in zip(card.maps, decoded, strict=True)
    }
    if card.task == "geometry":
        return Geometry(**maps)  # pyright: ignore[reportArgumentType]
    return maps[card.task]


def map_of(result: Result, kind: str) -> MapResult:
    """The map of a kind, "depth" or "normals", that a result is or holds."""
    return getattr(result, kind) if isinstance(result, Geometry) else result


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
        **prompt(card, prompt_tokens),
        **how.as_dict(),
        **attention(card),
    }


def prompt(card: Card, tokens: int) -> dict[str, int]:
    """The length of the empty prompt, an entry likewise; joint models read none."""
    return {} if card.task == "geometry" else {"prompt_tokens": tokens}


def attention(card: Card) -> dict[str, str]:
    """Whether depth and normals see each other, an entry of what made a joint model's results."""
    return {"attention": str(card.attention)} if card.task == "geometry" else {}


def _depth(
    decoded: Members, place: Placement, card: Card, how: Inference, provenance: Mapping[str, Any]
) -> Depth:
    # One by one, and before cropping: sums round by a tensor's shape, and ensembles amplify that.
    members = torch.cat([(decode.depth(one) + 1) / 2 for one in decoded.split(1)])
    fit = fits(card, how)
    members = fit.crop(members, place)
    values, uncertainty = members[0], None
    if len(members) > 1:
        merged = ensemble_depth.merge(
            members,
            method=how.merge_of("depth"),
            invariance=card.invariance,  # pyright: ignore[reportArgumentType]
        )
        values, uncertainty = merged.values, _uncertainty(merged, place, how)
    values = reference.min_max(values) if how.fit == "reference" else values
    return Depth(
        tensor=fit.restore(values[None], place)[0].clamp(0, 1),
        quantity=card.quantity,  # pyright: ignore[reportArgumentType]
        invariance=card.invariance,  # pyright: ignore[reportArgumentType]
        uncertainty=uncertainty,
        provenance=provenance,
    )


def _normals(
    decoded: Members, place: Placement, card: Card, how: Inference, provenance: Mapping[str, Any]
) -> Normals:
    as_reference = how.fit == "reference"
    # Marigold's models, as they are published; GeoWizard's code does not clip.
    clip = card.task == "normals" and card.family != "end-to-end"
    fit = fits(card, how)
    decoded = fit.crop(decoded, place)
    members = (
        reference.shorten(decoded.float()) if as_reference else decode.normals(decoded, clip=clip)
    )
    values, uncertainty = members[0], None
    if len(members) > 1:
        merged = ensemble_normals.merge(members, method=how.merge_of("normals"))
        values, uncertainty = merged.values, _uncertainty(merged, place, how)
    values = reference.shorten(values[None])[0] if as_reference else values
    restored = fit.restore(values, place)
    frame = frames.check(str(card.frame))
    return Normals(
        tensor=decode.unit(frames.convert(restored, source=frame, target="opencv")[None])[0],
        frame="opencv",
        uncertainty=uncertainty,
        provenance=provenance,
    )


def _uncertainty(merged: Merged, place: Placement, how: Inference) -> Float[Tensor, "height width"]:
    return FITS[how.fit].restore(merged.uncertainty[None], place)[0]
