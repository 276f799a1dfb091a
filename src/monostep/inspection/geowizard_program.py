"""GeoWizard's program written out with diffusers' and transformers' networks, to compare with.

    8-bit picture -> Pillow's bicubic -> both halves from the same noise -> DDIM
    depth: mean, its own minimum and maximum, Pillow's bicubic;  normals: direction, nearest pixel

diffusers has no pipeline for such models, so networks and scheduler are its own, and the steps
between them follow the published program (Fu et al., ECCV 2024). One image at a time, no ensembles.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from monostep.checkpoints import layout, text_encoder
from monostep.checkpoints.opening import Checkpoint
from monostep.geometry.domain import DOMAINS
from monostep.inference import Inference
from monostep.inspection import diffusers_pipeline, joint_processor
from monostep.pictures import as_bytes

Latent = Float[Tensor, "batch channel height width"]
Maps = Mapping[str, Float[Tensor, "height width channel"]]
_BICUBIC = Image.Resampling.BICUBIC


@dataclass(frozen=True, kw_only=True)
class GeoWizard:
    """The networks of a checkpoint, and the words it hears if it does not look at the picture."""

    unet: Any
    vae: Any
    scheduler: Any
    image_encoder: Any | None
    looks: Mapping[str, Any]  # at what: the file of the feature extractor
    prompts: Float[Tensor, "domain token width"] | None
    device: torch.device

    @torch.no_grad()
    def __call__(self, picture: Float[Tensor, "3 height width"], how: Inference) -> Maps:
        """Depth and, in the network's own frame, normals of a picture in [0, 1]."""
        photo = Image.fromarray(as_bytes(picture))
        if how.resolution:
            factor = how.resolution / max(photo.size)
            photo = photo.resize([int(side * factor) for side in photo.size], _BICUBIC)
        pixels = torch.from_numpy(np.asarray(photo).astype(np.float32)).permute(2, 0, 1)[None]
        image = pixels / 255 * 2 - 1
        scale = self.vae.config.scaling_factor
        seen = scale * _mode(self.vae.encode(image.to(self.device)))
        told = {
            "encoder_hidden_states": self._context(image, how).repeat(2, 1, 1).to(self.device),
            "class_labels": self._classes(how).to(self.device),
        }
        depth, normals = self._clean(seen, told, how) / scale
        height, width = picture.shape[1:]
        return {
            "depth": _depth(self._decoded(depth), (height, width)),
            "normals": _normals(self._decoded(normals), (height, width)),
        }

    def _clean(
        self, seen: Latent, told: Mapping[str, Tensor], how: Inference
    ) -> Float[Tensor, "map channel height width"]:
        """The latents of depth and of normals, which start alike."""
        start = torch.zeros_like(seen)
        if how.noise == "gaussian":
            start = torch.randn(seen.shape, generator=torch.Generator().manual_seed(how.seed))
        latent, seen = start.to(seen.device).repeat(2, 1, 1, 1), seen.repeat(2, 1, 1, 1)
        self.scheduler.set_timesteps(how.steps, device=self.device)
        clean = latent
        for time in self.scheduler.timesteps:
            said = self.unet(torch.cat([seen, latent], dim=1), time, **told).sample
            step = self.scheduler.step(said, time, latent)
            latent, clean = step.prev_sample, step.pred_original_sample
        return clean if how.last == "clean" else latent

    def _decoded(
        self, latent: Float[Tensor, "channel height width"]
    ) -> Float[Tensor, "3 new_height new_width"]:
        return self.vae.decode(latent[None]).sample[0].cpu()

    def _context(
        self, image: Float[Tensor, "1 3 height width"], how: Inference
    ) -> Float[Tensor, "1 token channel"]:
        """What the UNet reads: one token of the whole picture, or the domain in words."""
        if self.prompts is not None:
            return self.prompts[DOMAINS.index(how.domain)][None]  # pyright: ignore[reportArgumentType]
        side = self.image_encoder.config.image_size  # pyright: ignore[reportOptionalMemberAccess]
        square = F.interpolate((image + 1) / 2, (side, side), mode="bicubic", antialias=True)
        mean, std = (
            torch.tensor(self.looks[name])[:, None, None] for name in ("image_mean", "image_std")
        )
        normalised = ((square - mean) / std).to(self.device)
        return self.image_encoder(normalised).image_embeds[:, None]  # pyright: ignore

    def _classes(self, how: Inference) -> Float[Tensor, "2 number"]:
        """Depth and normals; the second version hears the domain in words only."""
        domain = torch.tensor([float(name == how.domain) for name in DOMAINS])
        rows = []
        for geometry in (torch.tensor([0.0, 1.0]), torch.tensor([1.0, 0.0])):
            parts = [geometry.sin(), geometry.cos(), domain.sin(), domain.cos()]
            rows.append(torch.cat(parts if self.prompts is None else parts[:2]))
        return torch.stack(rows)


def load(
    checkpoint: Checkpoint,
    prompts: Float[Tensor, "domain token width"] | None,
    device: torch.device,
    *,
    spacing: str,
) -> GeoWizard:
    """The program with a checkpoint's weights, in float32.

    The prompts of the second version are ours: checkpoints may carry them in place of a text
    encoder. Where the card says that attention is separate, it is diffusers' own.
    """
    library = diffusers_pipeline.library()
    diffusers_pipeline.fetch_indices(checkpoint)
    autoencoder = layout.read(checkpoint.folder / layout.VAE_CONFIG)["_class_name"]
    made = {
        "unet": _network(checkpoint, library.UNet2DConditionModel, checkpoint.unet, device),
        "vae": _network(checkpoint, getattr(library, autoencoder), checkpoint.vae, device),
        "image_encoder": None,
    }
    looks: Mapping[str, Any] = {}
    if files := checkpoint.image_encoder:
        with text_encoder.quiet(import_module("transformers")) as transformers:
            encoder = transformers.CLIPVisionModelWithProjection
            made["image_encoder"] = _network(checkpoint, encoder, files, device)
        looks = layout.read(checkpoint.folder / layout.PREPROCESSOR_CONFIG)
    if checkpoint.card.attention == "joint":
        joint_processor.install(made["unet"])
    scheduler = diffusers_pipeline.schedule(checkpoint, spacing)
    return GeoWizard(scheduler=scheduler, looks=looks, prompts=prompts, device=device, **made)


def _network(
    checkpoint: Checkpoint, kind: Any, files: tuple[str, ...], device: torch.device
) -> torch.nn.Module:
    """A network of diffusers or transformers, as `diffusers_pipeline` has it, in float32."""
    part = diffusers_pipeline.part(checkpoint, kind, files, torch.float32).eval()
    return diffusers_pipeline.laid_out(part, torch.float32).to(device)


def _mode(encoded: Any) -> Latent:
    """Of a KL autoencoder the mean, of a tiny one all there is."""
    return encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.mode()


def _depth(
    decoded: Float[Tensor, "3 height width"], size: tuple[int, int]
) -> Float[Tensor, "_ _ 1"]:
    depth = (decoded.mean(dim=0).clamp(-1, 1) + 1) / 2
    depth = (depth - depth.min()) / (depth.max() - depth.min())
    resized = Image.fromarray(depth.numpy()).resize((size[1], size[0]), _BICUBIC)
    return torch.from_numpy(np.array(resized)).clamp(0, 1)[..., None]


def _normals(
    decoded: Float[Tensor, "3 height width"], size: tuple[int, int]
) -> Float[Tensor, "_ _ 3"]:
    rows, columns = (
        np.floor(np.arange(new) * (1 / (new / old))).astype(int).clip(max=old - 1)
        for old, new in zip(decoded.shape[1:], size, strict=True)
    )
    return F.normalize(decoded[:, rows][:, :, columns], dim=0).permute(1, 2, 0)
