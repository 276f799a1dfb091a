"""Images out of noise by a base model, and how far they are from those of held-out scenes.

    distance = 2 E|x - y| - E|x - x'| - E|y - y'|        x generated, y held out

The energy distance of two samples, each mean over pairs of different images, which may be below
zero where both are alike. |x - y| is the root mean square difference of two images' values in
[0, 1]. Source: Szekely and Rizzo, Energy statistics: a class of statistics based on distances.
"""

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from monostep.checkpoints import opening
from monostep.diffusion import noise as noises
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.sampler import Sampler
from monostep.diffusion.schedule import Latent
from monostep.diffusion.timesteps import timesteps
from monostep.errors import MonostepWarning, SettingError
from monostep.pictures import as_bytes
from monostep.reproduction.results import Scores

STEPS = (1, 10, 25, 50)
SPACINGS = ("leading", "trailing")
HELD_OUT = "held_out"
AT_ONCE = 100
GAP = 2  # white pixels between the pictures of a sheet

Images = Float[Tensor, "_ 3 picture_height picture_width"]


def opened(folder: Path) -> LatentDiffusion:
    """The base model of a folder in Stable Diffusion's layout, on the CPU in float32.

    Raises:
        CheckpointError: no such model, or a broken one.
        SettingError: a model that makes maps of images.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MonostepWarning)  # that others should start from it
        found = opening.find(folder, task="depth")
    model = opening.load(found).eval()
    if model.sees_noise:
        raise SettingError(
            f"{folder}: a UNet of {model.unet.config.in_channels} channels sees an image beside "
            "the noise; give the base model, which sees noise alone"
        )
    return model


def generate(
    model: LatentDiffusion,
    *,
    count: int,
    size: tuple[int, int],
    seed: int = 0,
    steps: Sequence[int] = STEPS,
) -> dict[str, Images]:
    """Images in [0, 1] by DDIM from the same noise with every spacing and number of steps.

    Args:
        model: of images alone; it hears the empty prompt.
        count: images of each kind.
        size: height and width in pixels.
        seed: of all noise.
        steps: how many, one kind of image each.

    Returns:
        By "SPACING_STEPS", leading first.

    Raises:
        SettingError: the size is no whole number of latent cells.
    """
    noise = _noise(model, count, size, seed)
    return {
        f"{spacing}_{number}": _decoded(model, noise, spacing=spacing, steps=number)
        for spacing in SPACINGS
        for number in steps
    }


def distances(generated: Mapping[str, Images], held_out: Images) -> Scores:
    """Each generated image's part of the distance to the held-out ones, and theirs of each other.

    The mean of a column is the energy distance plus that of "held_out", which is E|y - y'|: a
    number that is never next to 0, so that ratios of it have a meaning.

    Raises:
        ValueError: fewer than two images of a kind.
    """
    among = _apart(held_out, held_out).sum() / _pairs(held_out)
    count = len(next(iter(generated.values())))
    return Scores(
        names=tuple(f"{number:06d}" for number in range(count)),
        strata=("all",) * count,
        columns={
            **{name: _parts(images, held_out) for name, images in generated.items()},
            HELD_OUT: np.full(count, float(among)),
        },
    )


def sheet(generated: Mapping[str, Images], *, columns: int = 8) -> UInt8[np.ndarray, "h w 3"]:
    """The first images of each kind as a row of one picture, in the order of `generated`."""
    rows = [
        np.concatenate([_framed(as_bytes(image)) for image in images[:columns]], axis=1)
        for images in generated.values()
    ]
    return np.concatenate(rows, axis=0)


@torch.inference_mode()
def _decoded(model: LatentDiffusion, noise: Latent, *, spacing: str, steps: int) -> Images:
    times = timesteps(model.schedule, spacing=spacing, steps=steps)
    sampler = Sampler(schedule=model.schedule, times=times, last="clean")
    output = partial(_output, model)
    parts = [model.decode(sampler.end(output, part[None])) for part in noise.split(AT_ONCE)]
    return ((torch.cat(parts) + 1) / 2).clamp(0, 1)


def _output(model: LatentDiffusion, noisy: Latent, time: int) -> Latent:
    """What the UNet says about z_t, which is all that it sees."""
    when = torch.full((len(noisy),), time)
    return model.unet(noisy, when, model.prompt.expand(len(noisy), -1, -1))


def _noise(model: LatentDiffusion, count: int, size: tuple[int, int], seed: int) -> Latent:
    if any(side % model.multiple for side in size):
        raise SettingError(
            f"size {size[0]}x{size[1]}: this model makes sides divisible by {model.multiple}"
        )
    height, width = (side // model.multiple for side in size)
    shape = (model.vae.config.latent_channels, height, width)
    generator = torch.Generator().manual_seed(seed)
    return noises.draw("gaussian", size=shape, members=count, generator=generator)


def _parts(generated: Images, held_out: Images) -> Float[np.ndarray, " image"]:
    between = _apart(generated, held_out).mean(dim=1)
    own = _apart(generated, generated).sum(dim=1) / (len(generated) - 1)
    # An image stands in both places of |x - x'|: this is its weight in the distance, the mean back.
    return (2 * between - 2 * own + own.mean()).numpy()


def _apart(one: Images, other: Images) -> Float[Tensor, "image other"]:
    """Root mean square difference of each two images, in float64; 0 of an image and itself."""
    # Not by products, which would leave rounding where the difference is zero.
    rows = torch.cdist(
        one.flatten(1).double(),
        other.flatten(1).double(),
        compute_mode="donot_use_mm_for_euclid_dist",
    )
    return rows / one[0].numel() ** 0.5


def _pairs(images: Images) -> int:
    if len(images) < 2:
        raise ValueError(f"{len(images)} images: a distance among them needs 2 or more")
    return len(images) * (len(images) - 1)


def _framed(
    pixels: UInt8[np.ndarray, "height width 3"],
) -> UInt8[np.ndarray, "framed_h framed_w 3"]:
    edges = ((0, GAP), (0, GAP), (0, 0))
    return np.pad(pixels, edges, constant_values=255)
