"""The loop that a user of diffusers writes for the same step; none of our training in it.

As diffusers' own training scripts have it: the frozen autoencoder in the run's precision, autocast
around the UNet alone, torch's AdamW as it comes, memory laid out as it comes. `tuned` has what it
takes little to know: channels_last and the fused AdamW.
"""

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monostep.benchmark import diffusers_program
from monostep.benchmark.training_program import Seen, TrainingAssignment, kept_bytes
from monostep.benchmark.training_work import BETAS, CLIP, DECAY, RATE, Work
from monostep.device import DTYPES
from monostep.inspection import diffusers_pipeline

Map = Float[Tensor, "batch height width"]


def affine_invariant_l1(
    predicted: Map, depth_m: Map, valid: Bool[Tensor, "batch height width"]
) -> Float[Tensor, ""]:
    """Mean distance from the truth after the best scale and shift, image by image."""
    each = []
    for values, truth, known in zip(predicted, depth_m, valid, strict=True):
        x, y = values[known], truth[known]
        x, y = x - x.mean(), y - y.mean()
        scale = (x * y).sum() / (x * x).sum()
        each.append((scale * x - y).abs().mean())
    return torch.stack(each).mean()


class DiffusersLearner:
    """diffusers' networks in a plain loop."""

    def __init__(self, assignment: TrainingAssignment, *, tuned: bool) -> None:
        diffusers_program.libraries()
        self.device = torch.device(assignment.device)
        self.dtype = DTYPES[assignment.subject.dtype]
        self.layout = torch.channels_last if tuned else torch.contiguous_format
        prompt = torch.from_numpy(assignment.weights.prompt)
        checkpoint = assignment.weights.find()
        pipeline = diffusers_pipeline.load(checkpoint, prompt, self.device, spacing="trailing")
        self.prompt = pipeline.empty_text_embedding
        self.scheduler = pipeline.scheduler
        self.unet: Any = pipeline.unet.to(memory_format=self.layout).train()
        self.vae: Any = pipeline.vae.to(dtype=self.dtype, memory_format=self.layout)
        self.vae.requires_grad_(False)  # noqa: FBT003 - torch's own signature
        if assignment.recompute != "none":
            self.unet.enable_gradient_checkpointing()
        if assignment.recompute == "all":
            self.vae.enable_gradient_checkpointing()
        fast = {"fused": True} if tuned else {}
        self.optimiser = torch.optim.AdamW(
            self.unet.parameters(), lr=RATE, betas=BETAS, weight_decay=DECAY, **fast
        )
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)  # pyright: ignore[reportPrivateImportUsage]
        self.kept_bytes = kept_bytes([*self.unet.parameters(), *self.vae.parameters()])

    def begin(self, work: Work) -> None:
        """Take the images that all steps learn from."""
        image = torch.from_numpy(work.image).to(self.device, memory_format=self.layout)
        self.image = (2 * image - 1).to(self.dtype)
        self.depth_m = torch.from_numpy(work.depth_m).to(self.device)
        self.valid = torch.from_numpy(work.valid).to(self.device)

    def step(self) -> Seen:
        """One pass through the loop's body."""
        self.optimiser.zero_grad()
        loss = affine_invariant_l1(self.depth(), self.depth_m, self.valid)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimiser)
        norm = torch.nn.utils.clip_grad_norm_(self.unet.parameters(), CLIP)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return Seen(loss=loss.item(), norm=norm.item())

    def depth(self) -> Map:
        """The decoder's depth of the one step from zeros, -1 near and 1 far."""
        scale = self.vae.config.scaling_factor
        with torch.no_grad():
            encoded = self.vae.encode(self.image)
            kl = hasattr(encoded, "latent_dist")
            latent = encoded.latent_dist.mode() if kl else encoded.latents
            latent = latent.float() * scale
        noisy = torch.zeros_like(latent)
        last = len(self.scheduler.alphas_cumprod) - 1
        prompt = self.prompt.expand(len(latent), -1, -1)
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            said = self.unet(torch.cat([latent, noisy], dim=1), last, prompt).sample
        clean = self._clean(noisy, said.float(), self.scheduler.alphas_cumprod[last])
        decoded = self.vae.decode((clean / scale).to(self.dtype)).sample
        return decoded.float().mean(dim=1).clamp(-1, 1)

    def _clean(self, noisy: Tensor, said: Tensor, alpha_bar: Tensor) -> Tensor:
        signal, noise = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
        match self.scheduler.config.prediction_type:
            case "epsilon":
                return (noisy - noise * said) / signal
            case "sample":
                return said
            case _:
                return signal * noisy - noise * said
