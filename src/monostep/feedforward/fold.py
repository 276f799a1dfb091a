"""Everything constant at inference into the weights: a diffusion model as a plain network.

Computed in float64, tensor by tensor, and stored in the precision asked; exact up to rounding.
Weights that no fold touches are handed over as they are, and the source lets go of each as it is
used: folding a model that a file is mapped for takes no second copy of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

import torch
from torch import Tensor, nn

from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.sampler import Last, Sampler
from monostep.diffusion.schedule import Schedule
from monostep.errors import CheckpointError
from monostep.feedforward import fold_codec, fold_image_encoder, fold_unet
from monostep.feedforward.joint import feed_forward
from monostep.feedforward.network import Clock, Dimensions, FeedForward, last_layer
from monostep.feedforward.pages import give_back
from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.network.image_encoder import ImageEncoder

Named = Iterator[tuple[str, Tensor]]


def fold(
    model: LatentDiffusion,
    *,
    channels: int,
    times: Sequence[int],
    only: Last | None = None,
    clock: Clock | None = None,
    dtype: torch.dtype = torch.float32,
) -> FeedForward:
    """The feed-forward form of a model, which is used up: it has no weights afterwards.

    Args:
        model: may hold weights in any precision.
        channels: of the map: 1 for depth, the mean of the decoder's three; 3 for normals, and for
            both together.
        times: timesteps that the network will be asked at.
        only: fold the one step from zeros that ends at this latent, with all of its arithmetic;
            the noisy latent, which is zero, is not looked at any more. None: a sampler goes round.
        clock: gives rows for further timesteps, unless `only` one is folded.
        dtype: of the weights, but for the decoder's last layer in float32.

    Raises:
        CheckpointError: a weight is not finite.
    """
    gain = 1.0 if only is None else one_step(model.schedule, times[0], only)
    looks = _image_encoder(model)
    dimensions = Dimensions(
        unet=model.unet.config,
        autoencoder=model.vae.config,
        tokens=model.prompt_tokens,
        channels=channels,
        sees_noise=model.sees_noise and only is None,
        ends=only,
        image_encoder=None if looks is None else looks.config,
    )
    with torch.device("meta"):
        network = feed_forward(dimensions, schedule=model.schedule, times=times)
    if only is None:  # one step's own factor is in the weights, so that there is no other time
        network.clock = clock
    keep = {f"decoder.{name}" for name in _names(network.decoder, last_layer(network))}
    # The table first: the folds take the biases that are in it.
    table = fold_unet.time_table(model.unet, times)
    named = chain([("time", table)], _folded(model, network, gain=gain))
    folded = dict(_cast(named, dtype, keep))
    network.load_state_dict(folded, strict=True, assign=True)
    give_back()
    _release(model)
    return network.eval()


def one_step(schedule: Schedule, time: int, last: Last) -> float:
    """What the network's output is multiplied by on the one step from zeros, which is linear."""
    exact = replace(schedule, alpha_bar=schedule.alpha_bar.double())
    sampler = Sampler(schedule=exact, times=(time,), last=last)
    zeros = torch.zeros(1, 1, 1, 1, 1, dtype=torch.float64)
    return float(sampler.end(lambda noisy, _: torch.ones_like(noisy), zeros))


def _folded(model: LatentDiffusion, network: FeedForward, *, gain: float) -> Named:
    codec = fold_codec.kl if isinstance(model.vae, AutoencoderKL) else fold_codec.tiny
    yield from codec(model.vae, mean=network.dimensions.channels == 1)  # pyright: ignore
    looks, latent = _image_encoder(model), model.vae.config.latent_channels
    if looks is not None:
        for name, tensor in fold_image_encoder.image_encoder(looks, model.unet):
            yield f"image_encoder.{name}", tensor
    prompt = model.prompt if looks is None else None
    for name, tensor in fold_unet.unet(model.unet, prompt, latent=latent, gain=gain):
        if name != "noise.weight" or network.sees_noise:
            yield f"unet.{name}", tensor


def _image_encoder(model: LatentDiffusion) -> ImageEncoder | None:
    """What looks at the picture, in a joint model that does not hear words."""
    return model.image_encoder if isinstance(model, JointDiffusion) else None


def _cast(named: Named, dtype: torch.dtype, keep: set[str]) -> Named:
    for name, tensor in named:
        to = torch.promote_types(dtype, torch.float32) if name in keep else dtype
        cast = tensor.detach().to(to)
        if cast.ndim == 4:
            cast = cast.contiguous(memory_format=torch.channels_last)
        if cast.numel() and not torch.isfinite(torch.stack(cast.aminmax())).all():
            raise CheckpointError(
                f"{name}: not finite in {str(to).removeprefix('torch.')}; the weights are broken, "
                "or too large for this precision"
            )
        yield name, cast


def _release(model: nn.Module) -> None:
    """Let go of what several folds needed: norms before products, and the clock."""
    for module in model.modules():
        for name, _ in list(module.named_parameters(recurse=False)):
            setattr(module, name, None)


def _names(module: nn.Module, part: nn.Module) -> list[str]:
    prefix = next(name for name, each in module.named_modules() if each is part)
    return [f"{prefix}.{name}" for name, _ in part.named_parameters()]
