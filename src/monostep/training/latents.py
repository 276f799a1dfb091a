"""Latents of a frozen encoder, kept on disk: an image and its mirror are encoded only once.

    <folder>/<key>/<first two digits>/<digest of the pixels>.safetensors

A file is found by the pixels themselves, so a mirrored image has its own (the encoder is not
mirror-equivariant), and an image that was edited has another; the key tells encoders apart. Any
number of processes may share the folder: files are complete or absent.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monostep.checkpoints import weights
from monostep.errors import CheckpointError, TrainingError

Image = Float[Tensor, "batch 3 height width"]
Latent = Float[Tensor, "batch latent_channels latent_height latent_width"]


def fingerprint(encoder: nn.Module, *facts: str) -> str:
    """A key of an encoder: its weights, and what else its latents depend on.

    Facts are those that change bits, such as the precision and the kind of device.
    """
    digest = hashlib.sha256(repr(facts).encode())
    for name, tensor in sorted(encoder.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(_bytes(tensor))
    return digest.hexdigest()[:32]


class LatentCache:
    """Stands for `encode`: the same latents, computed at most once for each image."""

    def __init__(self, folder: str | Path, encode: Callable[[Any], Any], key: str) -> None:
        """A cache below `folder` for an encoder with this key, as `fingerprint` gives it."""
        self.place = Path(folder) / key
        self.encode = encode
        self.found, self.computed = 0, 0

    def __call__(self, image: Image) -> Latent:
        """The float32 latents of images, each encoded by itself: batches change last bits.

        Raises:
            TrainingError: the latents need a gradient, so the encoder is being trained.
            OutputError: a latent cannot be stored.
        """
        return torch.cat([self._one(row) for row in image.split(1)]).to(image.device)

    def _one(self, image: Image) -> Latent:
        digest = hashlib.sha256(f"{tuple(image.shape)}".encode() + _bytes(image)).hexdigest()
        path = self.place / digest[:2] / f"{digest}.safetensors"
        latent = _stored(path)
        if latent is not None:
            self.found += 1
            return latent
        latent = self.encode(image)
        if latent.requires_grad:
            raise TrainingError(
                "the latents need a gradient, expected a frozen encoder: what is learned changes "
                "them; freeze the encoder, or train without the cache of latents"
            )
        latent = latent.float().cpu().contiguous()
        weights.write(path, {"latent": latent})
        self.computed += 1
        return latent


def _stored(path: Path) -> Tensor | None:
    try:
        return weights.read(path)["latent"] if path.exists() else None
    except (CheckpointError, KeyError):  # cut short by a power failure: computed again
        return None


def _bytes(tensor: Tensor) -> memoryview:
    flat = tensor.detach().cpu().contiguous().flatten()
    return flat.view(torch.uint8).numpy().data
