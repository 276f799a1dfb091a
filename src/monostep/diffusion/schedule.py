"""How much signal a latent keeps at a timestep, and how to recover it in one step."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor

Latent: TypeAlias = Float[Tensor, "batch channel height width"]
Target: TypeAlias = Literal["sample", "epsilon", "velocity"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Schedule:
    """Signal fraction alpha-bar for every timestep, 0 (clean) to T-1 (noise)."""

    alpha_bar: Float[Tensor, " time"]
    target: Target

    @property
    def last(self) -> int:
        """The noisiest timestep, T-1: where the one step is taken."""
        return len(self.alpha_bar) - 1

    def clean(self, noisy: Latent, output: Latent, time: Int[Tensor, " batch"]) -> Latent:
        """Estimate of x_0 from x_t and what the network said at t."""
        alpha_bar = self.alpha_bar.to(noisy.device)[time][:, None, None, None]
        signal, noise = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
        match self.target:
            case "sample":
                return output
            case "epsilon":
                return (noisy - noise * output) / signal
            case "velocity":
                return signal * noisy - noise * output


def scaled_linear(
    *, start: float = 0.00085, end: float = 0.012, steps: int = 1000
) -> Float[Tensor, " time"]:
    """Alpha-bar of Stable Diffusion: the square roots of beta are equally spaced."""
    beta = torch.linspace(start**0.5, end**0.5, steps, dtype=torch.float32) ** 2
    return torch.cumprod(1 - beta, dim=0)
