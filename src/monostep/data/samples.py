"""The batch of images with their geometry that every source of data returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import avg_pool2d

KINDS = ("indoor", "outdoor", "object")


@dataclass(frozen=True, kw_only=True)
class Samples:
    """A batch of images with their geometry."""

    image: Float[Tensor, "batch 3 height width"]  # sRGB in [0, 1]
    depth_m: Float[Tensor, "batch height width"]  # z-depth, 0 where there is no surface
    normals: Float[Tensor, "batch 3 height width"]  # unit, OpenCV frame, facing; 0 off surface
    valid: Bool[Tensor, "batch height width"]
    sky: Bool[Tensor, "batch height width"]
    intrinsics: Float[Tensor, "batch 3 3"]  # pixel centres at integer + 0.5
    kind: Int[Tensor, " batch"]  # index into KINDS

    def __len__(self) -> int:
        """Return the number of images."""
        return self.image.shape[0]

    def flip(self, where: Bool[Tensor, " batch"]) -> Samples:
        """Return the batch with the images chosen by `where` mirrored left-right."""
        width = self.image.shape[-1]
        mirrored_normals = (
            self.normals.flip(-1) * self.normals.new_tensor([-1, 1, 1])[:, None, None]
        )
        mirrored_intrinsics = self.intrinsics.clone()
        mirrored_intrinsics[:, 0, 2] = width - self.intrinsics[:, 0, 2]
        return Samples(
            image=_choose(where, self.image.flip(-1), self.image),
            depth_m=_choose(where, self.depth_m.flip(-1), self.depth_m),
            normals=_choose(where, mirrored_normals, self.normals),
            valid=_choose(where, self.valid.flip(-1), self.valid),
            sky=_choose(where, self.sky.flip(-1), self.sky),
            intrinsics=_choose(where, mirrored_intrinsics, self.intrinsics),
            kind=self.kind,
        )

    def reduce(self, factor: int) -> Samples:
        """Return the batch at 1 / `factor` of its size.

        Colours are averaged. Geometry is that of every factor-th pixel, to which the intrinsics
        are adjusted, because a mean of depths would be a surface that is not there.
        """
        if factor == 1:
            return self
        intrinsics = self.intrinsics.clone()
        intrinsics[:, :2, 2] += (factor - 1) / 2  # the pixel kept is the first of each block
        intrinsics[:, :2] /= factor
        return Samples(
            image=avg_pool2d(self.image, factor),
            depth_m=self.depth_m[:, ::factor, ::factor],
            normals=self.normals[:, :, ::factor, ::factor],
            valid=self.valid[:, ::factor, ::factor],
            sky=self.sky[:, ::factor, ::factor],
            intrinsics=intrinsics,
            kind=self.kind,
        )

    def to(self, device: torch.device | str) -> Samples:
        """Return the batch with every tensor on `device`."""
        return _over_fields(lambda name: getattr(self, name).to(device))

    @staticmethod
    def concatenate(parts: Sequence[Samples]) -> Samples:
        """Return the samples of all `parts`, in order, as one batch."""
        return _over_fields(lambda name: torch.cat([getattr(part, name) for part in parts]))


def _choose(where: Bool[Tensor, " batch"], yes: Tensor, no: Tensor) -> Tensor:
    return torch.where(where.reshape(-1, *[1] * (yes.ndim - 1)), yes, no)


def _over_fields(tensor_of: Callable[[str], Tensor]) -> Samples:
    return Samples(**{field.name: tensor_of(field.name) for field in fields(Samples)})
