"""Consistency models: functions that send every latent of a trajectory to its clean end.

    f(z_t, t) = c_out(t) z_0(z_t, t) + c_skip(t) z_t,    f(z_0, 0) = z_0 whatever the network says

    c_skip = s^2 / ((k t)^2 + s^2),   c_out = k t / sqrt((k t)^2 + s^2),   s = 0.5,  k = 10

The network learns that two latents of one trajectory have the same end. One DDIM step of a teacher
leads from the one to the other: the estimate of z_0 with the estimated noise added back to it.

Source: Song et al., Consistency Models; Luo et al., Latent Consistency Models, section 4.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from monostep.diffusion.schedule import Latent, Schedule

SIGMA_DATA = 0.5  # in units of latents


def consistent(
    schedule: Schedule, clean: Latent, noisy: Latent, time: Int[Tensor, " batch"]
) -> Latent:
    """F of z_t from the network's estimate of z_0; at t = 0 the latent itself, exactly."""
    scaled = schedule.time_scale * time.to(noisy.device, noisy.dtype)[:, None, None, None]
    below = scaled**2 + SIGMA_DATA**2
    return scaled / below.sqrt() * clean + SIGMA_DATA**2 / below * noisy


def grid(schedule: Schedule) -> Int[Tensor, " coarse"]:
    """The rising timesteps of the solver that is distilled: 19, 39, ... 999 for 50 of 1000."""
    stride = len(schedule.alpha_bar) // schedule.coarse
    return torch.arange(1, schedule.coarse + 1) * stride - 1


def earlier(schedule: Schedule, index: Int[Tensor, " batch"], skip: int) -> Int[Tensor, " batch"]:
    """The timestep `skip` places below each place of the grid; 0 below its first."""
    times = torch.cat([torch.zeros(1, dtype=torch.long), grid(schedule)])
    return times[(index + 1 - skip).clamp_min(0)]


def pseudo_huber(difference: Float[Tensor, "*shape"], threshold: float) -> Float[Tensor, "*shape"]:
    """Sqrt(d^2 + c^2) - c: half d^2 / c below the threshold c, |d| above it."""
    return (difference.square() + threshold**2).sqrt() - threshold
