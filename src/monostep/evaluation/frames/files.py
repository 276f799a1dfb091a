"""Files of normals of which nobody knows the frame, and what lies beside them."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monostep.errors import InputError
from monostep.evaluation.predictions import meaning as meanings
from monostep.evaluation.predictions import values as prediction_values
from monostep.evaluation.predictions.names import ENDINGS
from monostep.geometry import quantity as quantities
from monostep.geometry.depth import Quantity

_NEAR_M, _FAR_M = 1.0, 3.0  # between which depth of unknown scale and shift is put
_MARKS = re.compile(r"^pred_|([._-]normals?|_pred)$")
_FOLDERS = re.compile(r"(^|/)normals?(_npy)?$")
_OTHERS = re.compile(r"depth|preview|color|vis|uncertainty|confidence")

_Item = TypeVar("_Item")


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A file of normals, and a name of the image that it is of."""

    path: Path
    image: str


@dataclass(kw_only=True)
class Reading:
    """Reads normals and remembers what the files said."""

    said: set[str] = field(default_factory=set)  # frames
    coded: int = 0  # files that store 0..1
    problems: dict[str, str] = field(default_factory=dict)  # files that tell nothing, and why

    def normals(self, path: Path) -> Float[Tensor, "3 height width"]:
        """Unit vectors in the file's frame, 0 where there is none (raises InputError)."""
        values, about = prediction_values.normals_as_stored(path, None)
        values = torch.where(values.isfinite().all(dim=0), values, 0)
        if path.suffix.lower() != ".png" and prediction_values.is_coded(values):
            self.coded += 1
            values = 2 * values - 1
        frame = meanings.said(path, about, "normals").frame
        if frame is not None:
            self.said.add(frame)
        length = values.norm(dim=0)
        return torch.where(length > 0, values / length, 0)


def of_normals(folder: Path) -> list[Stored]:
    """The files of normals in a folder: those that are called so, else all maps.

    Raises:
        InputError: there is none, or no such folder.
    """
    check_folder(folder)
    paths = sorted(_maps(folder))
    called = [path for path in paths if path.stem.endswith(".normals")]
    found: dict[str, Path] = {}
    for path in called or [path for path in paths if not _OTHERS.search(str(path.name))]:
        image = _image(path.relative_to(folder))
        if image not in found or _rank(path) < _rank(found[image]):
            found[image] = path
    if not found:
        raise InputError(
            f"{folder}: no files of normals; expected maps in {' '.join(ENDINGS)}, such as "
            "a.normals.npy"
        )
    return [Stored(path=path, image=image) for image, path in found.items()]


def check_folder(folder: Path) -> None:
    """Refuse what is no folder (raises InputError)."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; check the path")


def spread(items: Sequence[_Item], limit: int) -> list[_Item]:
    """At most so many of them, evenly."""
    count = min(limit, len(items))
    return [items[k * len(items) // count] for k in range(count)]


def read_depth(
    path: Path, size: tuple[int, int], quantity: str | None, *, otherwise: Quantity = "depth"
) -> tuple[Float[Tensor, "height width"], Bool[Tensor, "height width"]]:
    """Depth of a plausible scale, and where there is any; quantity None: as the file says.

    `otherwise` is the quantity of a file that says none.
    Signs of normals do not depend on scale and shift.

    Raises:
        InputError: it cannot be read, or is of another size.
        SettingError: an unknown quantity.
    """
    values, about = prediction_values.read_depth(path, size)
    declared = meanings.declared({"quantity": quantity}, "depth")
    known = meanings.agree(declared, meanings.said(path, about, "depth"), path)
    held = known.quantity or otherwise
    is_depth = held == "depth" and known.invariance != "affine"
    valid = values.isfinite() & (values > 0) if is_depth else values.isfinite()
    if not valid.any():
        raise InputError(f"{path}: no pixel has a depth")
    if is_depth:
        return torch.where(valid, values / values[valid].median() * _NEAR_M, _NEAR_M), valid
    return _between(torch.where(valid, values, values[valid].min()), held), valid


def _between(
    values: Float[Tensor, "height width"], held: Quantity
) -> Float[Tensor, "height width"]:
    """Depth from near to far of values that are known up to scale and shift."""
    ends = quantities.from_depth(torch.tensor([_NEAR_M, _FAR_M]), held)
    low, high = ends.min(), ends.max()
    share = (values - values.min()) / (values.max() - values.min()).clamp_min(1e-12)
    return quantities.to_depth(low + share * (high - low), held, near_m=_NEAR_M, far_m=_FAR_M)


def _maps(folder: Path) -> list[Path]:
    return [
        Path(place, name)
        for place, _, names in os.walk(folder, followlinks=False)
        for name in names
        if Path(name).suffix.lower() in ENDINGS and not name.startswith(".")
    ]


def _image(path: Path) -> str:
    """A name of the image, without what programs add to it."""
    stem = path.stem
    while (bare := _MARKS.sub("", stem)) != stem and bare:
        stem = bare
    place = _FOLDERS.sub("", path.parent.as_posix())
    return f"{place}/{stem}.png" if place not in ("", ".") else f"{stem}.png"


def _rank(path: Path) -> int:
    return ENDINGS.index(path.suffix.lower())
