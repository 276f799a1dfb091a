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
    """The noise a network was trained with: alpha-bar, the fraction of signal, by timestep.

    Timesteps run from 0 (clean) to T-1 (noise). Source of the conventions: diffusers'
    scheduler_config.json, whose names stand in brackets.
    """

    alpha_bar: Float[Tensor, " time"]
    target: Target  # what the network says [prediction_type]
    sampler: Literal["ddim", "lcm"] = "ddim"  # the way down it was made for [_class_name]
    offset: int = 1  # of the leading spacing [steps_offset]
    ends_clean: bool = False  # alpha-bar 1 after the last step, else alpha-bar_0 [set_alpha_to_one]
    coarse: int = 50  # steps of the teacher of a consistency model [original_inference_steps]
    time_scale: float = 10.0  # of a consistency model's boundary condition [timestep_scaling]

    @property
    def last(self) -> int:
        """The noisiest timestep, T-1: where the one step is taken."""
        return len(self.alpha_bar) - 1

    @property
    def ending(self) -> Float[Tensor, ""]:
        """Alpha-bar after the last step."""
        return torch.ones(()) if self.ends_clean else self.alpha_bar[0]

    def clean(self, noisy: Latent, output: Latent, time: Int[Tensor, " batch"]) -> Latent:
        """Estimate of x_0 from x_t and what the network said at t."""
        signal, noise = self._amplitudes(noisy, time)
        match self.target:
            case "sample":
                return output
            case "epsilon":
                return (noisy - noise * output) / signal
            case "velocity":
                return signal * noisy - noise * output

    def noise(self, noisy: Latent, output: Latent, time: Int[Tensor, " batch"]) -> Latent:
        """Estimate of the noise in x_t from x_t and what the network said at t."""
        signal, noise = self._amplitudes(noisy, time)
        match self.target:
            case "sample":
                return (noisy - signal * output) / noise
            case "epsilon":
                return output
            case "velocity":
                return signal * output + noise * noisy

    def _amplitudes(self, like: Latent, time: Int[Tensor, " batch"]) -> tuple[Tensor, Tensor]:
        alpha_bar = self.alpha_bar.to(like.device)[time][:, None, None, None]
        return alpha_bar.sqrt(), (1 - alpha_bar).sqrt()


def scaled_linear(
    *, start: float = 0.00085, end: float = 0.012, steps: int = 1000
) -> Float[Tensor, " time"]:
    """Alpha-bar of Stable Diffusion: the square roots of beta are equally spaced."""
    beta = torch.linspace(start**0.5, end**0.5, steps, dtype=torch.float32) ** 2
    return torch.cumprod(1 - beta, dim=0)


def linear(*, start: float, end: float, steps: int = 1000) -> Float[Tensor, " time"]:
    """Alpha-bar of DDPM: beta is equally spaced."""
    return torch.cumprod(1 - torch.linspace(start, end, steps, dtype=torch.float32), dim=0)


def zero_terminal_snr(alpha_bar: Float[Tensor, " time"]) -> Float[Tensor, " time"]:
    """Alpha-bar shifted and stretched so that the last timestep keeps no signal at all.

    Source: Lin et al., Common Diffusion Noise Schedules and Sample Steps are Flawed, algorithm 1.
    The per-step alphas are taken and multiplied up again, as diffusers does, to round alike.
    """
    signal = alpha_bar.sqrt()
    first, last = signal[0].clone(), signal[-1].clone()
    rescaled = ((signal - last) * (first / (first - last))).square()
    alphas = torch.cat([rescaled[:1], rescaled[1:] / rescaled[:-1]])
    return torch.cumprod(1 - (1 - alphas), dim=0)
