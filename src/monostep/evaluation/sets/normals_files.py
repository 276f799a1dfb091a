"""True normals of a benchmark's image, decoded as its data set means them."""

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monostep.errors import InputError
from monostep.evaluation.sets import oasis
from monostep.evaluation.sets.archive import Archive
from monostep.evaluation.sets.lists import Sample
from monostep.evaluation.sets.normals_layouts import Decoding
from monostep.files import map_exr, photo, png_codes
from monostep.files.map_layout import NORMALS, from_reading

_TOP_CODE = {"8-bit png": 255, "16-bit png": 65535}
_SHORTEST = 0.5  # stored floats up to this length say that there is no direction

Truth = tuple[Float[Tensor, "3 height width"], Bool[Tensor, "height width"]]


def read_normals(archive: Archive, sample: Sample, decoding: Decoding) -> Truth:
    """Normals in the stored frame, 0 where there are none, and where there are some.

    They keep the length they are stored with, which no angle depends on; what is not finite is
    none.

    Raises:
        InputError: missing, damaged, or not as `decoding` says.
        MissingExtraError: OpenEXR's package is needed and not installed.
    """
    if decoding == "oasis pickle":
        return _oasis(archive, sample)
    if decoding == "exr":
        file = archive.source(sample.depth)
        vectors = from_reading(map_exr.read_exr(file, NORMALS)[0], NORMALS, str(file))
        with np.errstate(over="ignore", invalid="ignore"):
            length = np.linalg.norm(vectors, axis=2)
        valid = np.isfinite(length) & (length > _SHORTEST)
    else:
        codes = _codes(archive, sample.depth, _TOP_CODE[decoding])
        valid = np.asarray(codes.any(axis=2))
        vectors = codes.astype(np.float32) / np.float32(_TOP_CODE[decoding]) * 2 - 1
    vectors = np.where(valid[..., None], vectors, np.float32(0))
    return torch.from_numpy(vectors).permute(2, 0, 1).contiguous(), torch.from_numpy(valid)


def _codes(archive: Archive, name: str, top: int) -> np.ndarray:
    stored = png_codes.read(archive.file(name))
    if stored.palette or stored.top != top or stored.codes.shape[2] != 3:
        raise InputError(
            f"{archive.where(name)}: expected normals as colours up to {top}, got "
            f"{stored.codes.shape[2]} channels up to {stored.top}{_palette(stored)}; "
            "is it the file as downloaded?"
        )
    return stored.codes


def _palette(stored: png_codes.PngCodes) -> str:
    return " of a palette" if stored.palette else ""


def _oasis(archive: Archive, sample: Sample) -> Truth:
    """The image says how large the map is around the box."""
    box = oasis.read(archive.file(sample.depth))
    size = photo.stored_size(archive.file(sample.image))
    try:
        return box.on(size)
    except InputError as error:
        raise InputError(f"{archive.where(sample.depth)}: {error}") from error
