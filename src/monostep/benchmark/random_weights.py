"""Checkpoints with random weights, since speed and memory do not depend on what was learnt.

The last layers are scaled so that the decoded map spreads over [-1, 1]: a constant would be equal
to anything, and prove nothing when two programs are compared.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monostep.checkpoints import folder
from monostep.checkpoints.card import Card
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.schedule import Schedule, scaled_linear, zero_terminal_snr
from monostep.errors import SettingError
from monostep.network import sizes
from monostep.network.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig
from monostep.network.unet import UNet, UNetConfig

SIZES: dict[str, tuple[UNetConfig, AutoencoderKLConfig]] = {
    "sd2": (sizes.SD2_UNET, sizes.SD2_AUTOENCODER),  # 866 M + 84 M parameters
    "nano": (sizes.NANO_UNET, sizes.NANO_AUTOENCODER_KL),
    "tiny": (sizes.TINY_UNET, sizes.TINY_AUTOENCODER),
}
_SIDE = 128  # pixels of the picture that the last layers are scaled on


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Mean of each decoded channel, and the standard deviation of all."""

    mean: tuple[float, float, float]
    deviation: float


# Normals stay away from the zero vector, which has no direction: rounding would turn it anywhere.
SPREADS = {
    "depth": Spread(mean=(0.0, 0.0, 0.0), deviation=0.4),
    "normals": Spread(mean=(0.0, 0.0, 0.6), deviation=0.15),
}


def write(target: Path, *, size: str, task: str, seed: int = 0) -> Path:
    """Write a one-step model of a named size in float32 (sd2: 3.8 GB); the folder.

    Raises:
        SettingError: an unknown size or task.
        OutputError: the folder cannot be written.
    """
    if size not in SIZES:
        raise SettingError(f"--size {size}: choose of {', '.join(SIZES)}")
    if task not in SPREADS:
        raise SettingError(f"--task {task}: choose of {', '.join(SPREADS)}")
    with torch.random.fork_rng(devices=[]), torch.inference_mode():
        torch.manual_seed(seed)
        model = _model(*SIZES[size])
        _spread(model, SPREADS[task])
    says = (
        {"task": "depth", "quantity": "depth", "invariance": "affine"}
        if task == "depth"
        else {"task": "normals", "frame": "opengl"}
    )
    folder.save(model, Card(name=f"random-{size}-{task}", **says), target)  # pyright: ignore[reportArgumentType]
    return target


def _model(unet: UNetConfig, autoencoder: AutoencoderKLConfig) -> LatentDiffusion:
    return LatentDiffusion(
        unet=UNet(unet),
        autoencoder=AutoencoderKL(autoencoder),
        prompt=torch.randn(2, unet.context),
        schedule=Schedule(alpha_bar=zero_terminal_snr(scaled_linear()), target="velocity"),
    ).eval()


def _spread(model: LatentDiffusion, spread: Spread) -> None:
    """Bring what the UNet says to mean 0 and deviation 1, and the decoded map to this spread."""
    picture = torch.rand(1, 3, _SIDE, _SIDE) * 2 - 1
    latent = model.encode(picture)
    velocity = model.output(latent, torch.zeros_like(latent), model.schedule.last)
    none = (0.0,) * velocity.shape[1]
    _scale(model.unet.conv_out, velocity, mean=none, deviation=1.0)
    decoded = model(picture)
    last = model.get_submodule("vae.decoder.conv_out")
    _scale(last, decoded, mean=spread.mean, deviation=spread.deviation)


def _scale(
    layer: nn.Module,
    made: Float[Tensor, "batch channel height width"],
    *,
    mean: tuple[float, ...],
    deviation: float,
) -> None:
    """Change a last convolution so that each channel it made has this mean and deviation."""
    weight, bias = layer.get_parameter("weight"), layer.get_parameter("bias")
    gain = deviation / made.std(dim=(0, 2, 3))
    weight.mul_(gain[:, None, None, None])
    bias.copy_((bias - made.mean(dim=(0, 2, 3))) * gain + torch.tensor(mean))
