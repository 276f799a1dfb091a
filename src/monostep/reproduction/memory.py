"""What autograd keeps for the way back through several calls of the UNet, and the decoder.

    z_0 = DDIM(UNet, calls);  map = decode(z_0)         the UNet learns, the decoder is frozen

Counted are the bytes of the distinct storages of saved tensors without the model's own weights:
the part of training's memory that grows with the calls. Parameters, gradients and the optimiser's
state come on top, and are the same for any number of calls. A fake tensor has a size and no
memory, so that Stable Diffusion's numbers need neither its weights nor a GPU.

Attention is the one that torch chooses on a CPU, which keeps no matrix of tokens by tokens.
"""

import weakref
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.sampler import Sampler
from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.diffusion.timesteps import timesteps
from monostep.network.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig
from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig
from monostep.network.sizes import MINIATURE_AUTOENCODER, MINIATURE_UNET, SD2_AUTOENCODER, SD2_UNET
from monostep.network.unet import UNet, UNetConfig
from monostep.recipes.miniature import HEIGHT, WIDTH

CALLS = (1, 2, 4)
PAPER = (576, 768)  # height, width that the paper trains at
TOKENS = 2  # of the empty prompt


def memory(calls: Sequence[int] = CALLS) -> dict[str, dict[str, int]]:
    """Bytes for one image in float32, by size of model and number of calls.

    "miniature" at 64x80 pixels is really run; "sd2", Stable Diffusion 2 at the paper's 576x768, is
    computed with tensors that have sizes only.
    """
    miniature = model(MINIATURE_UNET, MINIATURE_AUTOENCODER)
    with FakeTensorMode(allow_non_fake_inputs=True):
        sd2 = model(SD2_UNET, SD2_AUTOENCODER)
        of_sd2 = {str(count): kept_bytes(sd2, PAPER, count) for count in calls}
    of_miniature = {str(count): kept_bytes(miniature, (HEIGHT, WIDTH), count) for count in calls}
    return {"sd2": of_sd2, "miniature": of_miniature}


def model(
    unet: UNetConfig, autoencoder: AutoencoderKLConfig | AutoencoderTinyConfig
) -> LatentDiffusion:
    """A model whose UNet learns and whose autoencoder is frozen; its weights do not matter."""
    tiny = isinstance(autoencoder, AutoencoderTinyConfig)
    with torch.random.fork_rng(devices=[]):
        made = LatentDiffusion(
            unet=UNet(unet),
            autoencoder=AutoencoderTiny(autoencoder) if tiny else AutoencoderKL(autoencoder),
            prompt=torch.zeros(TOKENS, unet.context),
            schedule=Schedule(alpha_bar=scaled_linear(), target="velocity"),
        )
    made.vae.requires_grad_(False)  # noqa: FBT003 - torch's own signature
    for part in made.modules():
        if isinstance(part, torch.nn.Conv2d) and part.kernel_size == (1, 1):
            part.register_forward_hook(_as_planes)
    return made.train()


def _as_planes(part: torch.nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:  # noqa: ARG001
    """Lay a map out as a real 1x1 convolution does; a fake one takes its channels to be last."""
    return output.contiguous()


def kept_bytes(model: LatentDiffusion, size: tuple[int, int], calls: int) -> int:
    """Bytes kept for the way back from the map of an image of (height, width) pixels.

    Args:
        model: what is differentiated through.
        size: divisible by the model's `multiple`.
        calls: trailing DDIM steps, each of them a call of the UNet.
    """
    height, width = (side // model.multiple for side in size)
    image_latent = torch.zeros(1, model.vae.config.latent_channels, height, width)
    times = timesteps(model.schedule, spacing="trailing", steps=calls)
    sampler = Sampler(schedule=model.schedule, times=times, last="clean")

    def forward() -> Tensor:
        output = partial(model.output, image_latent)
        return model.decode(sampler.end(output, torch.zeros_like(image_latent)[None]))

    own = [*model.parameters(), *model.buffers()]
    return saved_bytes(forward, without=own)


def saved_bytes(forward: Callable[[], Tensor], *, without: Sequence[Tensor] = ()) -> int:
    """Bytes of the distinct storages that autograd saves while `forward` runs.

    `without` are tensors whose storages do not count.
    """
    saved: list[weakref.ref[Tensor]] = []

    def note(tensor: Tensor) -> Tensor:
        apart = tensor.detach()  # a node that held its own output would never be given back
        saved.append(weakref.ref(apart))
        return apart

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda kept: kept):
        result = forward()
    # Nodes that do not lead to the result are gone by now, and their tensors with them.
    kept = {_identity(tensor): tensor for each in saved if (tensor := each()) is not None}
    own = {_identity(tensor) for tensor in without}
    total = sum(kept[each].untyped_storage().nbytes() for each in kept.keys() - own)
    del result
    return total


def _identity(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata
