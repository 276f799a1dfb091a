"""The way up: a clean latent with noise added, and what a network should say about it.

    z_t = sqrt(abar_t) z_0 + sqrt(1 - abar_t) noise
    v   = sqrt(abar_t) noise - sqrt(1 - abar_t) z_0

Source: Ho et al., Denoising Diffusion Probabilistic Models, eq. 4; Salimans and Ho, Progressive
Distillation for Fast Sampling of Diffusion Models, for the velocity v.
"""

from jaxtyping import Float, Int
from torch import Tensor

from monostep.diffusion.schedule import Latent, Schedule

PerImage = Float[Tensor, "batch 1 1 1"]


def noisy(schedule: Schedule, clean: Latent, noise: Latent, time: Int[Tensor, " batch"]) -> Latent:
    """The latent z_t of each image at its own timestep."""
    signal, rest = amplitudes(schedule, clean, time)
    return signal * clean + rest * noise


def target(schedule: Schedule, clean: Latent, noise: Latent, time: Int[Tensor, " batch"]) -> Latent:
    """What the network should say about z_t: its schedule's sample, epsilon or velocity."""
    match schedule.target:
        case "sample":
            return clean
        case "epsilon":
            return noise
        case "velocity":
            signal, rest = amplitudes(schedule, clean, time)
            return signal * noise - rest * clean


def amplitudes(
    schedule: Schedule, like: Latent, time: Int[Tensor, " batch"]
) -> tuple[PerImage, PerImage]:
    """Sqrt(abar_t) and sqrt(1 - abar_t) of each image, on the device of `like`."""
    alpha_bar = schedule.alpha_bar.to(like.device)[time][:, None, None, None]
    return alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
