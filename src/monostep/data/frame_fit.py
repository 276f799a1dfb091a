"""A frame brought to the size that a run trains at."""

from dataclasses import replace

import torch
from jaxtyping import Shaped
from torch import Tensor

from monostep.data.frame import Frame
from monostep.errors import InputError
from monostep.geometry import nearest
from monostep.images import fit

KITTI = (352, 1216)  # height and width of the KITTI benchmark's crop
_MAPS = ("depth_m", "normals", "valid", "sky", "confidence")


def resize(frame: Frame, size: tuple[int, int]) -> Frame:
    """The frame at this (height, width): colours averaged, geometry that of the nearest pixel."""
    height, width = frame.valid.shape
    smaller = {name: nearest.resize(values, size) for name, values in _maps(frame).items()}
    intrinsics = frame.intrinsics
    if intrinsics is not None:
        scales = intrinsics.new_tensor([size[1] / width, size[0] / height, 1])
        intrinsics = intrinsics * scales[:, None]
    image = fit.resize(frame.image, size).clamp(0, 1)
    return replace(frame, image=image, intrinsics=intrinsics, **smaller)


def kitti_crop(frame: Frame) -> Frame:
    """The KITTI benchmark's cut: 352 x 1216 at the bottom, centred, at the frame's own scale.

    Raises:
        InputError: the frame is smaller.
    """
    height, width = frame.valid.shape
    top, left = height - KITTI[0], (width - KITTI[1]) // 2
    if top < 0 or left < 0:
        raise InputError(
            f"size {width}x{height} is too small for the crop {KITTI[1]}x{KITTI[0]} of fit "
            "kitti-crop; declare fit resize"
        )
    cut = {
        name: values[..., top:, left : left + KITTI[1]].contiguous()
        for name, values in {"image": frame.image, **_maps(frame)}.items()
    }
    intrinsics = frame.intrinsics
    if intrinsics is not None:
        intrinsics = intrinsics.clone()
        intrinsics[:2, 2] -= torch.tensor([left, top])
    return replace(frame, intrinsics=intrinsics, **cut)


def _maps(frame: Frame) -> dict[str, Shaped[Tensor, "*any height width"]]:
    values = {name: getattr(frame, name) for name in _MAPS}
    return {name: tensor for name, tensor in values.items() if tensor is not None}
