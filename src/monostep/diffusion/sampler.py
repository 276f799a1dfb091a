"""The way from noise to a clean latent: DDIM and LCM, deterministic but for noise from outside.

DDIM, source Song et al., Denoising Diffusion Implicit Models, eq. 12 with sigma = 0:

    z_prev = sqrt(abar_prev) z_0 + sqrt(1 - abar_prev) eps

LCM, source Luo et al., Latent Consistency Models, with fresh noise between two steps:

    clean = c_out z_0 + c_skip z_t,    z_prev = sqrt(abar_prev) clean + sqrt(1 - abar_prev) noise
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.diffusion.schedule import Latent, Schedule
from monostep.diffusion.timesteps import Times

Last: TypeAlias = Literal["clean", "previous"]
Output: TypeAlias = Callable[[Latent, int], Latent]
_SIGMA_DATA = 0.5  # of the consistency model's boundary condition, in units of latents


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One step of the way: the clean latent as seen from timestep `time`, and where it led."""

    time: int
    clean: Latent
    previous: Latent


@dataclass(frozen=True, kw_only=True, eq=False)
class Sampler:
    """The timesteps to visit, and what the last one returns.

    `last`: "clean" is the estimate of z_0 (E2E-FT), "previous" the latent after the step (Marigold,
    diffusers), which is 0.9976 z_0 after one step from zeros.
    """

    schedule: Schedule
    times: Times
    last: Last = "clean"

    @property
    def draws(self) -> int:
        """How many draws of noise the way takes: the first latent, and LCM's fresh noise."""
        return len(self.times) if self.schedule.sampler == "lcm" else 1

    @property
    def signals(self) -> list[tuple[float, float]]:
        """At each step the signal, sqrt(abar), that the network is told and that the latent has."""
        told = [float(self.schedule.alpha_bar[time]) ** 0.5 for time in self.times]
        given = [0.0, *(float(self._after(i)) ** 0.5 for i in range(len(self.times) - 1))]
        return list(zip(told, given, strict=True))

    def way(
        self, output: Output, noise: Float[Tensor, "draw batch channel height width"]
    ) -> Iterator[Step]:
        """Every step from the first draw of noise; `output` is the network at (z_t, t)."""
        latent = noise[0]
        for index, time in enumerate(self.times):
            when = torch.full((latent.shape[0],), time, device=latent.device)
            said = output(latent, time)
            clean = self.schedule.clean(latent, said, when)
            if self.schedule.sampler == "lcm":
                clean = self._consistent(clean, latent, time)
                eps = noise[index + 1] if index + 1 < self.draws else torch.zeros_like(clean)
            else:
                eps = self.schedule.noise(latent, said, when)
            after = self._after(index).to(clean.device)
            latent = after.sqrt() * clean + (1 - after).sqrt() * eps
            yield Step(time=time, clean=clean, previous=latent)

    def end(
        self, output: Output, noise: Float[Tensor, "draw batch channel height width"]
    ) -> Latent:
        """What the last step returns, by the name of `last`."""
        *_, step = self.way(output, noise)
        return step.clean if self.last == "clean" else step.previous

    def _after(self, index: int) -> Float[Tensor, ""]:
        """Alpha-bar of the latent after a step."""
        alpha_bar = self.schedule.alpha_bar
        if self.schedule.sampler == "lcm":
            last = index + 1 == len(self.times)
            return torch.ones(()) if last else alpha_bar[self.times[index + 1]]
        # T / N below, rounded down, whatever the spacing: so do all DDIM implementations.
        previous = self.times[index] - len(alpha_bar) // len(self.times)
        return alpha_bar[previous] if previous >= 0 else self.schedule.ending

    def _consistent(self, clean: Latent, latent: Latent, time: int) -> Latent:
        """The boundary condition: at t = 0 the latent itself."""
        scaled = self.schedule.time_scale * time
        below = scaled**2 + _SIGMA_DATA**2
        return scaled / below**0.5 * clean + _SIGMA_DATA**2 / below * latent
