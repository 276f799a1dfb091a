"""Models of one's own as folders: in the layout of diffusers, with a card and the prompt.

What others published is opened by `monostep.checkpoints.opening`.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from monostep.checkpoints import (
    dimensions,
    layout,
    networks,
    prompt,
    scheduler,
    weight_files,
    weights,
)
from monostep.checkpoints.card import Card, tensor_hash
from monostep.checkpoints.layout import CARD, INDEX, PROMPT
from monostep.diffusion.latent_diffusion import Autoencoder, LatentDiffusion
from monostep.diffusion.schedule import Schedule
from monostep.errors import CheckpointError
from monostep.files.atomic import write_json


def save(
    model: LatentDiffusion,
    card: Card,
    folder: Path,
    *,
    dtype: torch.dtype = torch.float32,
    state: Mapping[str, Tensor] | None = None,
) -> None:
    """Write the model in `dtype`; the card gets the hash of what was written.

    `state` is the model's state where the model itself does not hold it as it is to be written:
    adapted, or spread over processes.
    """
    state = model.state_dict() if state is None else state
    _save_autoencoder(_under(state, "vae"), model.vae, folder, dtype)
    weights.write(folder / "unet" / weights.NAME, _cast(_under(state, "unet"), dtype))
    write_json(folder / layout.UNET_CONFIG, dimensions.unet_to_json(model.unet.config))
    weights.write(folder / PROMPT, {"prompt": model.prompt.float()})
    schedule = scheduler.to_json(model.schedule, card.spacing)
    write_json(folder / layout.SCHEDULER_CONFIG, schedule)
    write_json(folder / INDEX, _index(model, card, sampler=schedule["_class_name"]))
    hashed = dataclasses.replace(card, tensor_hash=tensor_hash(_all_tensors(folder)))
    write_json(folder / CARD, hashed.as_dict())


def save_autoencoder(autoencoder: Autoencoder, folder: Path, *, dtype: torch.dtype) -> None:
    """Write only the autoencoder, as `vae/` of a model folder."""
    _save_autoencoder(autoencoder.state_dict(), autoencoder, folder, dtype)


def load(folder: Path, *, verify: bool = False) -> tuple[LatentDiffusion, Card]:
    """The model in float32 and its card; with `verify`, the tensors' hash must match the card's.

    Raises:
        CheckpointError: no model of one's own (with card and prompt), or a broken one.
    """
    card = read_card(folder)
    if verify:
        check_hash(folder, card)
    model = LatentDiffusion(
        unet=networks.unet(folder, weight_files.choose(layout.names(folder), "unet")),
        autoencoder=load_autoencoder(folder),
        prompt=prompt.read(folder / PROMPT),
        schedule=load_schedule(folder),
    )
    return model.eval(), card


def read_card(folder: Path) -> Card:
    """The card of a model folder; CheckpointError if there is none."""
    return Card.from_dict(layout.read(folder / CARD))


def load_autoencoder(folder: Path) -> Autoencoder:
    """The autoencoder of a model folder, in float32."""
    return networks.autoencoder(folder, weight_files.choose(layout.names(folder), "vae"))


def load_schedule(folder: Path) -> Schedule:
    """The noise schedule of a model folder."""
    return scheduler.from_json(layout.read(folder / layout.SCHEDULER_CONFIG))


def check_hash(folder: Path, card: Card) -> None:
    """Raise CheckpointError unless the tensors are the ones the card was written for."""
    if tensor_hash(_all_tensors(folder)) != card.tensor_hash:
        raise CheckpointError(
            f"{folder}: the weights do not match the card's hash; reinstall or copy the model again"
        )


def _all_tensors(folder: Path) -> dict[str, Tensor]:
    files = {"unet": folder / "unet" / weights.NAME, "vae": folder / "vae" / weights.NAME}
    files["prompt"] = folder / PROMPT
    return {
        f"{part}/{name}": tensor
        for part, path in files.items()
        for name, tensor in weights.read(path).items()
    }


def _save_autoencoder(
    state: Mapping[str, Tensor], autoencoder: Autoencoder, folder: Path, dtype: torch.dtype
) -> None:
    weights.write(folder / "vae" / weights.NAME, _cast(state, dtype))
    config = dimensions.autoencoder_to_json(autoencoder.config)
    write_json(folder / layout.VAE_CONFIG, config)


def _under(state: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    start = f"{part}."
    return {name.removeprefix(start): t for name, t in state.items() if name.startswith(start)}


def _cast(tensors: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    return {name: tensor.detach().to(dtype) for name, tensor in tensors.items()}


def _index(model: LatentDiffusion, card: Card, *, sampler: str) -> dict:
    pipeline = {"depth": "MarigoldDepthPipeline", "normals": "MarigoldNormalsPipeline"}[card.task]
    return {
        "_class_name": pipeline,
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", type(model.vae).__name__],
        "scheduler": ["diffusers", sampler],
        "text_encoder": [None, None],
        "tokenizer": [None, None],
        "prediction_type": card.task,
        "default_denoising_steps": card.steps,
        "default_processing_resolution": card.resolution,
    }
