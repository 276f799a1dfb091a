"""Depth and normals of the same images in one pass: GeoWizard.

    context = encoder(squash(image))                      or words that say the domain
    z_t = noise, in two halves: first depth, then normals of the same images
    v = UNet([z_x, z_t], t, context, class)               each half sees the other in its attention
    map = decode(z_0 / scale)

Source: GeoWizard (Fu et al., ECCV 2024); with one step from zeros, E2E-FT's GeoWizard.
"""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from monostep.diffusion.class_numbers import OF_BOTH, OF_GEOMETRY, class_numbers
from monostep.diffusion.latent_diffusion import Autoencoder, LatentDiffusion
from monostep.diffusion.sampler import Sampler
from monostep.diffusion.schedule import Latent, Schedule
from monostep.images.squash import squash
from monostep.network.image_encoder import ImageEncoder
from monostep.network.unet import UNet

Context = Float[Tensor, "batch token width_of_context"]
Domains = Int[Tensor, " batch"]
Halves = Float[Tensor, "2*batch channel height width"]


class JointDiffusion(LatentDiffusion):
    """Images in, decoded maps out: those of the depths first, then those of the normals.

    Every `noisy` latent, timestep and output has two halves in that order, twice as many as images.

    Args:
        unet: with 10 class numbers, or 4 where prompts say the domain; separate only to compare.
        autoencoder: of images and maps.
        schedule: of the noise.
        image_encoder: looks at each image, which the UNet reads as one token; or
        prompts: of each of `DOMAINS`, which it reads instead (GeoWizard's second version).
    """

    def __init__(
        self,
        *,
        unet: UNet,
        autoencoder: Autoencoder,
        schedule: Schedule,
        image_encoder: ImageEncoder | None = None,
        prompts: Float[Tensor, "domain token width"] | None = None,
    ) -> None:
        if (image_encoder is None) == (prompts is None):
            raise ValueError("expected an image encoder or prompts, one of the two")
        classes = unet.config.classes
        if classes not in (OF_GEOMETRY, OF_BOTH):
            raise ValueError(f"{classes} class numbers: expected {OF_GEOMETRY} or {OF_BOTH}")
        none = torch.empty(0, unet.config.context)
        super().__init__(unet=unet, autoencoder=autoencoder, prompt=none, schedule=schedule)
        if prompts is not None:
            self.prompt = prompts.clone()
        self.image_encoder = image_encoder
        self.class_numbers = classes

    @property
    def side(self) -> int:
        """Pixels of the squares that `context` looks at; 0 if it does not."""
        return 0 if self.image_encoder is None else self.image_encoder.config.side

    @property
    def prompt_tokens(self) -> int:
        """How many tokens the UNet reads."""
        return 1 if self.image_encoder is not None else self.prompt.shape[1]

    def context(self, squares: Float[Tensor, "batch 3 side side"], domain: Domains) -> Context:
        """What the UNet reads of images in [0, 1] that `squash` made squares of `side` pixels.

        With prompts that of the domain, whatever the images.
        """
        if self.image_encoder is None:
            return self.prompt[domain]
        return self.image_encoder(squares)[:, None]

    def output(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, image_latent: Latent, noisy: Halves, time: int, *, context: Context, domain: Domains
    ) -> Halves:
        """What the UNet says about both halves of z_t, each beside z_x, at a timestep."""
        when = torch.full((len(noisy),), time, device=noisy.device)
        return self.said(image_latent, noisy, when, context=context, domain=domain)

    def said(
        self,
        image_latent: Latent,
        noisy: Halves,
        time: Int[Tensor, " 2*batch"],
        *,
        context: Context,
        domain: Domains,
    ) -> Halves:
        """The same, with a timestep for each latent."""
        seen = torch.cat([image_latent.repeat(2, 1, 1, 1), noisy], dim=1)
        classes = class_numbers(domain, self.class_numbers)
        return self.unet(seen, time, context.to(seen.dtype).repeat(2, 1, 1), classes)

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, image: Float[Tensor, "batch 3 height width"], domain: Domains | None = None
    ) -> Float[Tensor, "2*batch 3 height width"]:
        """The decoded maps, about [-1, 1], of images in [-1, 1], in one step from zeros.

        `domain` are indices into `DOMAINS`; None: all indoor.
        """
        if domain is None:
            domain = torch.zeros(len(image), dtype=torch.long, device=image.device)
        image_latent = self.encode(image)
        context = self.context(squash((image + 1) / 2, self.side), domain)
        output = partial(self.output, image_latent, context=context, domain=domain)
        sampler = Sampler(schedule=self.schedule, times=(self.schedule.last,), last="clean")
        noise = torch.zeros_like(image_latent).repeat(2, 1, 1, 1)[None]
        return self.decode(sampler.end(output, noise))
