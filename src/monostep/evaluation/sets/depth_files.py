"""One image of a depth benchmark: its files decoded, cropped, and which of its pixels count."""

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monostep.errors import InputError
from monostep.evaluation.sets.archive import Archive
from monostep.evaluation.sets.depth_layouts import CROP_SIZE, RAW_SIZE, Box, Decoding, DepthLayout
from monostep.evaluation.sets.lists import Sample
from monostep.files import photo, png_codes
from monostep.files.map_numpy import read_array

_CODES_PER_M = {"png / 1000": 1000, "png / 256": 256}


def read_image(archive: Archive, name: str) -> Float[Tensor, "3 height width"]:
    """The codes that an image stores as sRGB in [0, 1], neither turned nor colour managed.

    Truth lies on the stored grid, and published numbers were computed on the stored codes.

    Raises:
        InputError: missing, damaged, or not of 8 bits.
    """
    codes = torch.from_numpy(photo.read_stored(archive.file(name))).permute(2, 0, 1)
    return torch.empty(codes.shape).copy_(codes).div_(255)


def read_depth(
    archive: Archive, sample: Sample, decoding: Decoding
) -> Float[Tensor, "height width"]:
    """Depth in metres as stored, 0 where it is not a finite number.

    Raises:
        InputError: missing, damaged, or not as `decoding` says.
    """
    if decoding == "npy":
        with np.errstate(over="ignore"):  # what is too large is no finite number then
            depth_m = _plane(archive, sample.depth).astype(np.float32, copy=False)
    elif decoding == "raw float32, inf is 0":
        depth_m = _raw(archive, sample)
    else:
        depth_m = _codes(archive, sample.depth) / np.float32(_CODES_PER_M[decoding])
    return torch.from_numpy(np.where(np.isfinite(depth_m), depth_m, np.float32(0)))


def read_valid(
    archive: Archive, sample: Sample, layout: DepthLayout, depth_m: Float[Tensor, "height width"]
) -> Bool[Tensor, "height width"]:
    """Where truth counts by range or by the sample's mask; boxes are another matter.

    Raises:
        InputError: the mask is missing, damaged, or of another size.
    """
    if layout.valid_m is not None:
        near_m, far_m = layout.valid_m
        return (depth_m > near_m) & (depth_m < far_m)
    assert sample.mask is not None
    mask = torch.from_numpy(_plane(archive, sample.mask) != 0)
    if mask.shape != depth_m.shape:
        raise InputError(
            f"{archive.where(sample.mask)}: the mask is {_size(mask)}, the depth {_size(depth_m)}; "
            "is it another image's?"
        )
    return mask


def crop(values: Tensor, where: str) -> Tensor:
    """KITTI's benchmark crop of [..., height, width]: 352 rows at the bottom, 1216 columns amid.

    Raises:
        InputError: the map is smaller than that.
    """
    height, width = CROP_SIZE
    top, left = values.shape[-2] - height, (values.shape[-1] - width) // 2
    if top < 0 or left < 0:
        raise InputError(f"{where}: {_size(values)} pixels; the benchmark's crop needs 352 x 1216")
    return values[..., top:, left : left + width].contiguous()


def inside(
    valid: Bool[Tensor, "height width"], box: Box | None, where: str
) -> Bool[Tensor, "height width"]:
    """What of a mask lies in the box (raises InputError for a map that the box is not made for)."""
    if box is None:
        return valid
    if tuple(valid.shape) != box.of:
        height, width = box.of
        raise InputError(f"{where}: {_size(valid)} pixels; this benchmark has {height} x {width}")
    rows, columns = slice(*box.rows), slice(*box.columns)
    kept = torch.zeros_like(valid)
    kept[rows, columns] = valid[rows, columns]
    return kept


def _codes(archive: Archive, name: str) -> np.ndarray:
    stored = png_codes.read(archive.file(name))
    if stored.top != 65535 or stored.codes.shape[2] != 1:
        raise InputError(
            f"{archive.where(name)}: expected depth as 16-bit grey, got "
            f"{stored.codes.shape[2]} channels up to {stored.top}; a picture of it?"
        )
    return stored.codes[..., 0].astype(np.float32)


def _raw(archive: Archive, sample: Sample) -> np.ndarray:
    """Bare float32 rows; the image says the size where it is not the published one."""
    data = archive.read(sample.depth)
    got, size, whose = len(data), RAW_SIZE, "the published"
    if got != _float_bytes(size) and archive.has(sample.image):
        size, whose = photo.stored_size(archive.file(sample.image)), "its image's"
    if got != _float_bytes(size):
        raise InputError(
            f"{archive.where(sample.depth)}: {got} bytes; raw float32 depth of {whose} "
            f"{size[0]} x {size[1]} pixels has {_float_bytes(size)}; download it again"
        )
    return np.frombuffer(data, "<f4").reshape(size)


def _float_bytes(size: tuple[int, int]) -> int:
    return 4 * size[0] * size[1]


def _plane(archive: Archive, name: str) -> np.ndarray:
    """A map of one channel, with or without an axis for it."""
    values = read_array(archive.file(name))
    plane = values.squeeze()
    if plane.ndim != 2 or not plane.size or plane.dtype.kind not in "fiub":
        raise InputError(
            f"{archive.where(name)}: expected numbers [height, width] or [height, width, 1], "
            f"got {values.dtype} {list(values.shape)}"
        )
    return plane


def _size(values: Tensor) -> str:
    return f"{values.shape[-2]} x {values.shape[-1]}"
