"""Which files of a checkpoint hold a part's weights: one or several, plain or a variant.

    unet/diffusion_pytorch_model.safetensors                     one file
    unet/diffusion_pytorch_model.fp16.safetensors                its variant "fp16"
    unet/diffusion_pytorch_model-00001-of-00002.safetensors      parts, named by an .index.json
    unet/diffusion_pytorch_model.fp16-00001-of-00002.bin         the same, older format

Works on names alone, so that the files of a repository can be chosen before they are downloaded.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from monostep.errors import CheckpointError

STEMS = ("diffusion_pytorch_model",)
ENCODERS = ("text_encoder", "image_encoder")
ENCODER_STEMS = ("model", "pytorch_model")
ENDINGS = ("safetensors", "bin")  # the safer format first
# Between the stem and the ending: the variant, then which of how many parts.
BETWEEN = r"(?:\.(?P<variant>[\w-]+?))?(?:-(?P<part>\d{5})-of-(?P<parts>\d{5}))?"


@dataclass(frozen=True, kw_only=True)
class WeightFile:
    """A weight file by its name, relative to the checkpoint."""

    name: str
    variant: str | None
    ending: str
    part: int  # 1 to parts
    parts: int


def choose(names: Iterable[str], part: str, variant: str | None = None) -> tuple[str, ...]:
    """The names of the files with one part's weights, in order.

    Args:
        names: every file of the checkpoint, relative, with forward slashes.
        part: "unet", "vae", "text_encoder" or "image_encoder".
        variant: "fp16", ...; None for the plain files, or the only variant where there are none.

    Raises:
        CheckpointError: no weights, not this variant, or not all parts of them.
    """
    found = [file for file in (parse(name, part) for name in names) if file is not None]
    if not found:
        raise CheckpointError(
            f"{part}/: no weights (.safetensors or .bin); the checkpoint is incomplete, copy or "
            "download it again"
        )
    variant = _present(found, part, variant)
    for ending in ENDINGS:
        files = [file for file in found if (file.variant, file.ending) == (variant, ending)]
        if files:
            return _complete(files)
    raise AssertionError("a present variant has files")


def nearest(names: Iterable[str], part: str, variant: str | None = None) -> tuple[str, ...]:
    """The same, but the plain files of a part that does not have the variant."""
    names = tuple(names)
    found = (parse(name, part) for name in names)
    has = any(file is not None and file.variant == variant for file in found)
    return choose(names, part, variant if has else None)


def parse(name: str, part: str) -> WeightFile | None:
    """What a name says, if it is that of a weight file of this part."""
    stems = "|".join(ENCODER_STEMS if part in ENCODERS else STEMS)
    match = re.fullmatch(rf"{part}/(?:{stems}){BETWEEN}\.(?P<ending>{'|'.join(ENDINGS)})", name)
    if match is None:
        return None
    return WeightFile(
        name=name,
        variant=match["variant"],
        ending=match["ending"],
        part=int(match["part"] or 1),
        parts=int(match["parts"] or 1),
    )


def _present(found: list[WeightFile], part: str, variant: str | None) -> str | None:
    there = sorted({file.variant or "" for file in found})
    if (variant or "") in there:
        return variant
    if variant is None and len(there) == 1:
        return there[0]
    have = ", ".join(name or "the plain one (leave the variant out)" for name in there)
    wanted = f"variant {variant!r}" if variant else "plain weights"
    raise CheckpointError(f"{part}/: no {wanted}; this checkpoint has {have}")


def _complete(files: list[WeightFile]) -> tuple[str, ...]:
    """The whole set: one file, or else all parts of one number of parts."""
    files = sorted(files, key=lambda file: (file.parts, file.part))
    of = files[0].parts  # one whole file beside parts of the same weights goes first
    files = [file for file in files if file.parts == of]
    missing = sorted(set(range(1, of + 1)) - {file.part for file in files})
    if missing:
        raise CheckpointError(
            f"{files[0].name}: part {missing[0]} of {of} is missing; the checkpoint is incomplete, "
            "copy or download it again"
        )
    return tuple(file.name for file in files)
