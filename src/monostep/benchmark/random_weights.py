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
from monostep.checkpoints.registry import OF_GEOWIZARD
from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.schedule import Latent, Schedule, scaled_linear, zero_terminal_snr
from monostep.errors import SettingError
from monostep.feedforward.pages import give_back
from monostep.images.squash import squash
from monostep.network import sizes
from monostep.network.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig
from monostep.network.image_encoder import ImageEncoder, ImageEncoderConfig
from monostep.network.unet import UNet, UNetConfig

SIZES: dict[str, tuple[UNetConfig, AutoencoderKLConfig]] = {
    "sd2": (sizes.SD2_UNET, sizes.SD2_AUTOENCODER),  # 866 M + 84 M parameters
    "nano": (sizes.NANO_UNET, sizes.NANO_AUTOENCODER_KL),
    "tiny": (sizes.TINY_UNET, sizes.TINY_AUTOENCODER),
}
JOINT: dict[str, tuple[UNetConfig, ImageEncoderConfig]] = {  # with the same autoencoders
    "sd2": (sizes.GEOWIZARD_UNET, sizes.CLIP_LARGE),  # 861 M + 304 M parameters
    "nano": (sizes.NANO_JOINT_UNET, sizes.NANO_IMAGE_ENCODER),
    "tiny": (sizes.TINY_JOINT_UNET, sizes.TINY_IMAGE_ENCODER),
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
    "geometry": Spread(mean=(0.0, 0.0, 0.6), deviation=0.1),
}
SAYS = {
    "depth": {"quantity": "depth", "invariance": "affine"},
    "normals": {"frame": "opengl"},
    "geometry": {"quantity": "depth", "invariance": "affine", **OF_GEOWIZARD},
}


def write(target: Path, *, size: str, task: str, seed: int = 0) -> Path:
    """Write a one-step model of a named size in float32 (sd2: 3.8 GB, geometry 5.0); the folder.

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
        model = _joint_model(size) if task == "geometry" else _model(*SIZES[size])
        _spread(model, SPREADS[task])
    card = Card(name=f"random-{size}-{task}", task=task, **SAYS[task])  # pyright: ignore[reportArgumentType]
    folder.save(model, card, target)
    del model
    give_back()  # others will need it
    return target


def _model(unet: UNetConfig, autoencoder: AutoencoderKLConfig) -> LatentDiffusion:
    return LatentDiffusion(
        unet=UNet(unet),
        autoencoder=AutoencoderKL(autoencoder),
        prompt=torch.randn(2, unet.context),
        schedule=_schedule(),
    ).eval()


def _joint_model(size: str) -> JointDiffusion:
    unet, image_encoder = JOINT[size]
    _, autoencoder = SIZES[size]
    return JointDiffusion(
        unet=UNet(unet),
        autoencoder=AutoencoderKL(autoencoder),
        image_encoder=ImageEncoder(image_encoder),
        schedule=_schedule(),
    ).eval()


def _schedule() -> Schedule:
    return Schedule(alpha_bar=zero_terminal_snr(scaled_linear()), target="velocity")


def _spread(model: LatentDiffusion, spread: Spread) -> None:
    """Bring what the UNet says to mean 0 and deviation 1, and the decoded map to this spread."""
    picture = torch.rand(1, 3, _SIDE, _SIDE) * 2 - 1
    velocity = _velocity(model, picture)
    none = (0.0,) * velocity.shape[1]
    _scale(model.unet.conv_out, velocity, mean=none, deviation=1.0)
    decoded = model(picture)
    last = model.get_submodule("vae.decoder.conv_out")
    _scale(last, decoded, mean=spread.mean, deviation=spread.deviation)


def _velocity(model: LatentDiffusion, picture: Float[Tensor, "1 3 rows columns"]) -> Latent:
    """What the UNet says on the first step from zeros; of a joint model for both maps."""
    latent, time = model.encode(picture), model.schedule.last
    zeros = torch.zeros_like(latent)
    if not isinstance(model, JointDiffusion):
        return model.output(latent, zeros, time)
    domain = torch.zeros(1, dtype=torch.long)
    context = model.context(squash((picture + 1) / 2, model.side), domain)
    both = zeros.repeat(2, 1, 1, 1)
    return model.output(latent, both, time, context=context, domain=domain)


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
