"""The batch of images with their geometry that every source of data returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import avg_pool2d

from monostep.geometry.domain import DOMAINS

KINDS = DOMAINS
MAPS = ("image", "depth_m", "normals", "valid", "sky", "confidence")  # one value a pixel


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
    # How far the truth is to be trusted, in [0, 1]; None: everywhere.
    confidence: Float[Tensor, "batch height width"] | None = None

    def __len__(self) -> int:
        """Return the number of images."""
        return self.image.shape[0]

    def trust(self) -> Float[Tensor, "batch height width"]:
        """Return the confidence; 1 everywhere if there is none."""
        return torch.ones_like(self.depth_m) if self.confidence is None else self.confidence

    def flip(self, where: Bool[Tensor, " batch"]) -> Samples:
        """Return the batch with the images chosen by `where` mirrored left-right."""
        mirrored = self._change(MAPS, lambda tensor: tensor.flip(-1))
        signs = self.normals.new_tensor([-1, 1, 1])[:, None, None]
        intrinsics = self.intrinsics.clone()
        intrinsics[:, 0, 2] = self.image.shape[-1] - self.intrinsics[:, 0, 2]
        mirrored = replace(mirrored, normals=mirrored.normals * signs, intrinsics=intrinsics)
        return _together(lambda yes, no: _choose(where, yes, no), [mirrored, self])

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
        chosen = self._change(MAPS, lambda tensor: tensor[..., ::factor, ::factor])
        return replace(chosen, image=avg_pool2d(self.image, factor), intrinsics=intrinsics)

    def to(self, device: torch.device | str) -> Samples:
        """Return the batch with every tensor on `device`; from pinned memory without waiting."""
        return self._change(NAMES, lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> Samples:
        """Return the batch in pinned memory: what torch's data loaders call."""
        return self._change(NAMES, lambda tensor: tensor.pin_memory())

    @staticmethod
    def concatenate(parts: Sequence[Samples]) -> Samples:
        """Return the samples of all `parts`, in order, as one batch."""
        if any((part.confidence is None) != (parts[0].confidence is None) for part in parts):
            parts = [replace(part, confidence=part.trust()) for part in parts]
        return _together(lambda *tensors: torch.cat(tensors), parts)

    def _change(self, names: Iterable[str], change: Callable[[Tensor], Tensor]) -> Samples:
        old = {name: getattr(self, name) for name in names}
        new = {name: change(tensor) for name, tensor in old.items() if tensor is not None}
        return replace(self, **new)


NAMES = tuple(field.name for field in fields(Samples))


def _choose(where: Bool[Tensor, " batch"], yes: Tensor, no: Tensor) -> Tensor:
    return torch.where(where.reshape(-1, *[1] * (yes.ndim - 1)), yes, no)


def _together(combine: Callable[..., Tensor], parts: Sequence[Samples]) -> Samples:
    tensors = {name: [getattr(part, name) for part in parts] for name in NAMES}
    return Samples(
        **{name: combine(*each) for name, each in tensors.items() if each[0] is not None}
    )
