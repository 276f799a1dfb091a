"""The folded form of a model that predicts depth and normals together.

    image -> encoder ----------> UNet -> decoder -> depth, normals
          -> image encoder ----'

The UNet's biases are those of a timestep, a domain and a half: one file serves all three domains.
Its two passes over an image, for depth and for normals, lie side by side in the batch, so that
GeoWizard's joint attention is ordinary attention of twice as many tokens, and moves nothing.
"""

from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor

from monostep.diffusion.joint_diffusion import Domains, Halves
from monostep.diffusion.schedule import Latent, Schedule
from monostep.feedforward.image_encoder import ImageEncoder
from monostep.feedforward.network import Clock, Dimensions, FeedForward
from monostep.feedforward.unet import HALVES, told_widths
from monostep.images.squash import squash

Context: TypeAlias = Float[Tensor, "batch told"] | Int[Tensor, " batch"]


class JointFeedForward(FeedForward):
    """The folded model, with the interface of `JointDiffusion`.

    What `context` returns is for `output` alone: all that the transformers read of each image, or
    the domain, whose prompt is in the weights.
    """

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        schedule: Schedule,
        times: Sequence[int],
        clock: Clock | None = None,
    ) -> None:
        super().__init__(dimensions, schedule=schedule, times=times, clock=clock)
        of = dimensions.image_encoder
        self.image_encoder = (
            None if of is None else ImageEncoder(of, told=sum(told_widths(self.unet)))
        )

    @property
    def side(self) -> int:
        """Pixels of the squares that `context` looks at; 0 if it does not."""
        of = self.dimensions.image_encoder
        return 0 if of is None else of.side

    def context(self, squares: Float[Tensor, "batch 3 side side"], domain: Domains) -> Context:
        """What `output` reads of images in [0, 1] that `squash` made squares of `side` pixels."""
        if self.image_encoder is None:
            return domain
        return self.image_encoder(squares.to(self.dtype)).float()

    def output(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        image_latent: Latent,
        noisy: Halves,
        time: int,
        *,
        context: Context,
        domain: Domains,
    ) -> Halves:
        """What the UNet says about both halves of z_t beside z_x at a timestep, in float32.

        Raises:
            SettingError: a timestep that was not folded in.
        """
        rows = self._row(time)  # domain half total
        rows = rows[domain] if len(rows) > 1 else rows.expand(domain.shape[0], -1, -1)
        seen = _by_image(noisy.to(self.dtype)) if self.sees_noise else None
        told = context.to(self.dtype) if context.is_floating_point() else context
        said = self.unet(image_latent.to(self.dtype), seen, rows.flatten(0, 1), told)
        return _by_half(said.float())

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, image: Float[Tensor, "batch 3 height width"], domain: Domains | None = None
    ) -> Float[Tensor, "2*batch 3 decoded_height decoded_width"]:
        """The decoded maps, about [-1, 1], of images in [-1, 1], in one step from zeros.

        `domain` are indices into `DOMAINS`; None: all indoor.
        """
        if domain is None:
            domain = torch.zeros(len(image), dtype=torch.long, device=image.device)
        image_latent = self.encode(image)
        context = self.context(squash((image + 1) / 2, self.side), domain)
        output = partial(self.output, image_latent, context=context, domain=domain)
        noise = torch.zeros_like(image_latent).repeat(HALVES, 1, 1, 1)[None]
        return self.decode(self.one_step().end(output, noise))


def feed_forward(
    dimensions: Dimensions,
    *,
    schedule: Schedule,
    times: Sequence[int],
    clock: Clock | None = None,
) -> FeedForward:
    """The network of these dimensions: a joint one if its UNet has classes."""
    kind = FeedForward if dimensions.unet.classes is None else JointFeedForward
    return kind(dimensions, schedule=schedule, times=times, clock=clock)


def _by_image(maps: Tensor) -> Tensor:
    """All depths, then all normals; to each image's depth and normals."""
    return maps.unflatten(0, (HALVES, -1)).transpose(0, 1).flatten(0, 1)


def _by_half(maps: Tensor) -> Tensor:
    """And back."""
    return maps.unflatten(0, (-1, HALVES)).transpose(0, 1).flatten(0, 1)
