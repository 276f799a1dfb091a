"""What is exported: bytes of images in, finished maps out, with nothing left to do around it.

    uint8 -> resize -> pad -> network, one step from zeros -> crop -> resize -> depth or normals

The same as `Predictor` with the fit "pad", but for batches, with sizes that may be symbols.
"""

from functools import partial

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from monostep.export.resize import resize
from monostep.export.sizes import at, sizes
from monostep.geometry import decode, frames
from monostep.inference import Inference
from monostep.predictor import Predictor

Maps = Float[Tensor, "batch channel height width"]


class ImageToMap(nn.Module):
    """Images [B, H, W, 3] of one size to their maps, on the images' own pixel grid."""

    def __init__(self, predictor: Predictor, how: Inference) -> None:
        super().__init__()
        self.network = predictor.network
        self.sampler = predictor.sampler(how)
        self.card = predictor.card
        self.resolution = how.resolution

    def forward(
        self, image: UInt8[Tensor, "batch height width 3"]
    ) -> Float[Tensor, "batch height width *xyz"]:
        """Depth [B, H, W] in [0, 1], or unit normals [B, H, W, 3] in the frame opencv."""
        picture = 2 * (image.permute(0, 3, 1, 2).float() / 255) - 1
        original = (picture.shape[2], picture.shape[3])
        resized, padded = sizes(
            original, resolution=self.resolution, multiple=self.network.multiple
        )
        fitted = at(self._resize(picture, resized), padded, last=resized)
        decoded = at(self._decoded(fitted), resized, last=resized)
        return (
            self._depth(decoded, original) if self._is_depth else self._normals(decoded, original)
        )

    @property
    def _is_depth(self) -> bool:
        return self.card.task == "depth"

    def _resize(
        self, values: Maps, size: tuple[int, int]
    ) -> Float[Tensor, "batch channel new_height new_width"]:
        return resize(values, size) if self.resolution > 0 else values

    def _decoded(self, picture: Float[Tensor, "batch 3 height width"]) -> Maps:
        """The network's map after one step from zeros."""
        latent = self.network.encode(picture)
        zeros = torch.zeros_like(latent)[None]
        said = partial(self.network.output, latent)
        return self.network.decode(self.sampler.end(said, zeros))

    def _depth(
        self, decoded: Maps, size: tuple[int, int]
    ) -> Float[Tensor, "batch new_height new_width"]:
        depth = (decode.depth(decoded) + 1) / 2
        return self._resize(depth[:, None], size)[:, 0].clamp(0, 1)

    def _normals(
        self, decoded: Maps, size: tuple[int, int]
    ) -> Float[Tensor, "batch new_height new_width 3"]:
        clip = self.card.family != "end-to-end"  # as in `monostep.results`
        restored = self._resize(decode.normals(decoded, clip=clip), size)
        frame = str(self.card.frame)
        return decode.unit(frames.convert(restored, source=frame, target="opencv")).permute(
            0, 2, 3, 1
        )
