"""The run's result: the model as an ordinary folder, whatever it looks like while it learns."""

import dataclasses
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from monostep.checkpoints import folder
from monostep.checkpoints.card import Card
from monostep.diffusion.latent_diffusion import Autoencoder, LatentDiffusion
from monostep.files.atomic import write_json
from monostep.training import low_rank
from monostep.training.precision import Frozen
from monostep.training.world import World

RESULT = "model"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelKeeper:
    """Writes the model with its card, in the layout of diffusers."""

    model: LatentDiffusion
    card: Card
    run: Path
    world: World
    frozen: Frozen | None = None  # the parts that compute in fewer bits than they have

    def __call__(self, *, step: int, scores: Mapping[str, float]) -> None:
        """Keep the model as it is now, adapters merged and all parts of weights together."""
        validation = {"validation": {**scores, "step": step}}
        with nullcontext() if self.frozen is None else self.frozen.full():
            state = {name: _whole(tensor) for name, tensor in low_rank.merged(self.model).items()}
            if self.world.leads:
                card = dataclasses.replace(self.card, scores=validation)
                folder.save(self.model, card, self.run / RESULT, state=state)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BaseKeeper:
    """Writes a base model, from which others start, in Stable Diffusion's layout."""

    model: LatentDiffusion
    run: Path
    world: World

    def __call__(self, *, step: int, scores: Mapping[str, float]) -> None:
        """Keep the model as it is now, adapters merged and all parts of weights together."""
        state = {name: _whole(tensor) for name, tensor in low_rank.merged(self.model).items()}
        if self.world.leads:
            folder.save_base(self.model, self.run / RESULT, state=state)
            write_json(self.run / RESULT / "scores.json", {"step": step, **scores})


@dataclasses.dataclass(frozen=True, kw_only=True)
class AutoencoderKeeper:
    """Writes an autoencoder alone."""

    autoencoder: Autoencoder
    run: Path
    world: World

    def __call__(self, *, step: int, scores: Mapping[str, float]) -> None:
        """Keep the autoencoder as it is now."""
        if self.world.leads:
            folder.save_autoencoder(self.autoencoder, self.run / RESULT, dtype=torch.float32)
            write_json(self.run / RESULT / "scores.json", {"step": step, **scores})


def _whole(tensor: Tensor) -> Tensor:
    """All of a tensor, also of one that is spread over the processes."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
