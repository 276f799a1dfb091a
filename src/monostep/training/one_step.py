"""One pass at t = T-1, from an image's latent to the decoded map: what E2E-FT differentiates.

    z_x = encode(image);  z_t = noise;  z_0 = clean(z_t, UNet([z_x, z_t], T-1));  map = decode(z_0)

Source: E2E-FT (Garcia et al., WACV 2025), section 4. With zero noise it is what
`LatentDiffusion` does when it is called.
"""

from collections.abc import Sequence
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monostep.data.samples import Samples
from monostep.diffusion import noise
from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.schedule import Latent
from monostep.errors import SettingError
from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.network.image_encoder import ImageEncoder
from monostep.training.batch import Batch
from monostep.training.truth_config import Noise, TruthConfig

Decoded: TypeAlias = Float[Tensor, "batch 3 height width"]


def initial(kind: Noise, like: Latent, generators: Sequence[torch.Generator]) -> Latent:
    """The latent z_t of each image, from a generator of its own.

    Without an input for it ("none") z_t still counts as zeros where z_0 is computed.
    """
    size = (like.shape[1], like.shape[2], like.shape[3])
    drawn = "zeros" if kind == "none" else kind
    each = [noise.draw(drawn, size=size, members=1, generator=own) for own in generators]
    return torch.empty_like(like).copy_(torch.cat(each))  # laid out as the image's latent is


def clean_latent(model: LatentDiffusion, image_latent: Latent, noisy: Latent) -> Latent:
    """The estimate of z_0 after the one step."""
    last = model.schedule.last
    time = torch.full((len(noisy),), last, device=noisy.device)
    return model.schedule.clean(noisy, model.output(image_latent, noisy, last), time)


def check_inputs(model: LatentDiffusion, kind: Noise) -> None:
    """Raise SettingError unless the UNet has an input for the noise exactly if there is one."""
    if model.sees_noise == (kind != "none"):
        return
    inputs = model.unet.config.in_channels
    if kind == "none":
        advice = "it also takes a noisy latent; choose noise zeros, or a start without that input"
    else:
        advice = "it has no input for a noisy latent; choose noise none, or a start with one"
    raise SettingError(f"noise {kind} with a UNet of {inputs} input channels: {advice}")


def trained_part(
    model: LatentDiffusion, *, encoder: bool = False, decoder: bool, image_encoder: bool = False
) -> nn.Module:
    """The UNet, or it and what else is asked for, as all of the model that requires gradients.

    SettingError for an image encoder that the model does not have.
    """
    model.requires_grad_(False)  # noqa: FBT003 - torch's own signature
    part = nn.ModuleDict({"unet": model.unet})
    if encoder:
        part["encoder"] = model.vae.encoder
        if isinstance(model.vae, AutoencoderKL):
            part["quant_conv"] = model.vae.quant_conv
    if decoder:
        part["decoder"] = model.vae.decoder
        if isinstance(model.vae, AutoencoderKL):
            part["post_quant_conv"] = model.vae.post_quant_conv
    if image_encoder:
        part["image_encoder"] = _image_encoder(model)
    return (part if len(part) > 1 else model.unet).requires_grad_(True)  # noqa: FBT003


def _image_encoder(model: LatentDiffusion) -> ImageEncoder:
    encoder = model.image_encoder if isinstance(model, JointDiffusion) else None
    if encoder is None:
        raise SettingError(
            "train_image_encoder true: the model looks at no image, it reads the domain's name; "
            "leave it out"
        )
    return encoder


class OneStep:
    """What both tasks share: the model's part that learns, and its decoded maps."""

    def __init__(self, model: LatentDiffusion, config: TruthConfig) -> None:
        check_inputs(model, config.noise)
        config.check_sizes(model.multiple)
        self.model = model
        self.config = config
        self._trained = trained_part(
            model, encoder=config.train_encoder, decoder=config.train_decoder
        )

    @property
    def trained(self) -> nn.Module:
        """The part that learns."""
        return self._trained

    def decoded(self, batch: Batch) -> Decoded:
        """The map of each image from its own noise."""
        generators = [batch.generator(row) for row in range(len(batch.seeds))]
        return self._decoded(batch.samples, generators)

    def decoded_to_score(self, samples: Samples) -> Decoded:
        """The map of each image from the same noise in every validation, and for every image."""
        generators = [torch.Generator().manual_seed(self.config.seed) for _ in samples.kind]
        return self._decoded(samples, generators)

    def _decoded(self, samples: Samples, generators: Sequence[torch.Generator]) -> Decoded:
        image_latent = self.model.encode(samples.image * 2 - 1)
        noisy = initial(self.config.noise, image_latent, generators)
        return self.model.decode(clean_latent(self.model, image_latent, noisy))
