"""What is exported: bytes of images in, finished maps out, with nothing left to do around it.

    uint8 -> resize -> pad -> network, one step from zeros -> crop -> resize -> depth, normals

The same as `Predictor` with the fit "pad", but for batches, with sizes that may be symbols. A joint
model gives both maps, of images of one domain.
"""

from functools import partial

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.diffusion.sampler import Output
from monostep.diffusion.schedule import Latent
from monostep.export.resize import resize, squash
from monostep.export.sizes import at, sizes
from monostep.feedforward.joint import JointFeedForward
from monostep.geometry import decode, frames
from monostep.geometry.domain import DOMAINS
from monostep.inference import Inference
from monostep.predictor import Predictor

Maps = Float[Tensor, "batch channel height width"]


class ImageToMaps(nn.Module):
    """Images [B, H, W, 3] of one size to their maps, on the images' own pixel grid."""

    def __init__(self, predictor: Predictor, how: Inference) -> None:
        super().__init__()
        self.network = predictor.network
        self.sampler = predictor.sampler(how)
        self.card = predictor.card
        self.resolution = how.resolution
        self.domain = how.domain

    def forward(self, image: UInt8[Tensor, "batch height width 3"]) -> Tensor | tuple[Tensor, ...]:
        """Depth [B, H, W] in [0, 1], or unit normals [B, H, W, 3] in the frame opencv, or both."""
        picture = 2 * (image.permute(0, 3, 1, 2).float() / 255) - 1
        original = (picture.shape[2], picture.shape[3])
        resized, padded = sizes(
            original, resolution=self.resolution, multiple=self.network.multiple
        )
        looked_at = self._resize(picture, resized)
        fitted = at(looked_at, padded, last=resized)
        decoded = at(self._decoded(fitted, looked_at), resized, last=resized)
        finish = {"depth": self._depth, "normals": self._normals}
        halves = decoded.unflatten(0, (len(self.card.maps), -1))  # of a joint model depths first
        maps = [
            finish[kind](half, original) for kind, half in zip(self.card.maps, halves, strict=True)
        ]
        return maps[0] if len(maps) == 1 else tuple(maps)

    def _resize(
        self, values: Maps, size: tuple[int, int]
    ) -> Float[Tensor, "batch channel new_height new_width"]:
        return resize(values, size) if self.resolution > 0 else values

    def _decoded(
        self,
        fitted: Float[Tensor, "batch 3 height width"],
        looked_at: Float[Tensor, "batch 3 own_height own_width"],
    ) -> Float[Tensor, "both channel padded_height padded_width"]:
        """The network's maps after one step from zeros."""
        latent = self.network.encode(fitted)
        zeros = torch.zeros_like(latent).repeat(len(self.card.maps), 1, 1, 1)[None]
        return self.network.decode(self.sampler.end(self._said(latent, looked_at), zeros))

    def _said(
        self, latent: Latent, looked_at: Float[Tensor, "batch 3 own_height own_width"]
    ) -> Output:
        """The network beside images."""
        network = self.network
        if not isinstance(network, JointDiffusion | JointFeedForward):
            return partial(network.output, latent)
        index = DOMAINS.index(self.domain)  # pyright: ignore[reportArgumentType] - a joint model's
        domain = torch.full((latent.shape[0],), index)
        looks = network.side > 0  # or it hears words
        nothing = latent.new_zeros(latent.shape[0], 3, 0, 0)
        squares = squash((looked_at + 1) / 2, network.side) if looks else nothing
        context = network.context(squares, domain)
        return partial(network.output, latent, context=context, domain=domain)

    def _depth(
        self, decoded: Maps, size: tuple[int, int]
    ) -> Float[Tensor, "batch new_height new_width"]:
        depth = (decode.depth(decoded) + 1) / 2
        return self._resize(depth[:, None], size)[:, 0].clamp(0, 1)

    def _normals(
        self, decoded: Maps, size: tuple[int, int]
    ) -> Float[Tensor, "batch new_height new_width 3"]:
        # As in `monostep.results`.
        clip = self.card.task == "normals" and self.card.family != "end-to-end"
        restored = self._resize(decode.normals(decoded, clip=clip), size)
        frame = str(self.card.frame)
        return decode.unit(frames.convert(restored, source=frame, target="opencv")).permute(
            0, 2, 3, 1
        )
