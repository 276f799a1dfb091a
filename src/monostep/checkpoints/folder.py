"""A model as a folder in the layout of diffusers, with a card and the prompt's embedding.

model_index.json                                what diffusers reads first
card.json                                       what monostep reads first
unet/, vae/                                     config.json + safetensors
scheduler/scheduler_config.json                 trailing, so that other programs do it right
prompt_embedding.safetensors                    stands in for the text encoder
"""

import dataclasses
from pathlib import Path

import torch
from torch import Tensor

from monostep.checkpoints import dimensions, weights
from monostep.checkpoints.card import Card, tensor_hash
from monostep.diffusion.one_step import Autoencoder, OneStep
from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.errors import CheckpointError, InputError
from monostep.files.atomic import read_json, write_json
from monostep.network.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig
from monostep.network.autoencoder_tiny import AutoencoderTiny
from monostep.network.unet import UNet

CARD, INDEX, PROMPT = "card.json", "model_index.json", "prompt_embedding.safetensors"
SCHEDULER = {
    "_class_name": "DDIMScheduler",
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "timestep_spacing": "trailing",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}


def save(model: OneStep, card: Card, folder: Path, *, dtype: torch.dtype = torch.float32) -> None:
    """Write the model in `dtype`; the card gets the hash of what was written."""
    save_autoencoder(model.vae, folder, dtype=dtype)
    unet = _cast(model.unet.state_dict(), dtype)
    weights.write(folder / "unet" / weights.NAME, unet)
    write_json(folder / "unet" / "config.json", dimensions.unet_to_json(model.unet.config))
    weights.write(folder / PROMPT, {"prompt": model.prompt.float()})
    write_json(folder / "scheduler" / "scheduler_config.json", SCHEDULER)
    write_json(folder / INDEX, _index(model, card))
    hashed = dataclasses.replace(card, tensor_hash=tensor_hash(_all_tensors(folder)))
    write_json(folder / CARD, hashed.as_dict())


def save_autoencoder(autoencoder: Autoencoder, folder: Path, *, dtype: torch.dtype) -> None:
    """Write only the autoencoder, as `vae/` of a model folder."""
    weights.write(folder / "vae" / weights.NAME, _cast(autoencoder.state_dict(), dtype))
    config = dimensions.autoencoder_to_json(autoencoder.config)
    write_json(folder / "vae" / "config.json", config)


def load(folder: Path, *, verify: bool = False) -> tuple[OneStep, Card]:
    """The model in float32 and its card; with `verify`, the tensors' hash must match the card's."""
    card = read_card(folder)
    if verify and tensor_hash(_all_tensors(folder)) != card.tensor_hash:
        raise CheckpointError(
            f"{folder}: the weights do not match the card's hash; reinstall or copy the model again"
        )
    with torch.device("meta"):
        unet = UNet(dimensions.unet_from_json(_json(folder / "unet" / "config.json")))
    _fill(unet, folder / "unet" / weights.NAME)
    model = OneStep(
        unet=unet,
        autoencoder=load_autoencoder(folder),
        prompt=_prompt(folder / PROMPT),
        schedule=Schedule(alpha_bar=scaled_linear(), target="velocity"),
    )
    return model.eval(), card


def read_card(folder: Path) -> Card:
    """The card of a model folder; CheckpointError if there is none."""
    return Card.from_dict(_json(folder / CARD))


def load_autoencoder(folder: Path) -> Autoencoder:
    """The autoencoder of a model folder, in float32."""
    config = dimensions.autoencoder_from_json(_json(folder / "vae" / "config.json"))
    with torch.device("meta"):
        if isinstance(config, AutoencoderKLConfig):
            autoencoder = AutoencoderKL(config)
        else:
            autoencoder = AutoencoderTiny(config)
    _fill(autoencoder, folder / "vae" / weights.NAME)
    return autoencoder


def _prompt(path: Path) -> Tensor:
    tensors = weights.read(path)
    if "prompt" not in tensors:
        raise CheckpointError(f"{path}: holds {', '.join(tensors)}, expected a tensor 'prompt'")
    return tensors["prompt"].float()


def _fill(module: UNet | Autoencoder, path: Path) -> None:
    module.to_empty(device="cpu")
    weights.put(module, {name: t.float() for name, t in weights.read(path).items()}, path)


def _json(path: Path) -> dict:
    try:
        return read_json(path)
    except (OSError, InputError) as error:
        raise CheckpointError(
            f"{path}: cannot be read ({error}); is this a model folder?"
        ) from error


def _all_tensors(folder: Path) -> dict[str, Tensor]:
    files = {"unet": folder / "unet" / weights.NAME, "vae": folder / "vae" / weights.NAME}
    files["prompt"] = folder / PROMPT
    return {
        f"{part}/{name}": tensor
        for part, path in files.items()
        for name, tensor in weights.read(path).items()
    }


def _cast(tensors: dict[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    return {name: tensor.detach().to(dtype) for name, tensor in tensors.items()}


def _index(model: OneStep, card: Card) -> dict:
    pipeline = {"depth": "MarigoldDepthPipeline", "normals": "MarigoldNormalsPipeline"}[card.task]
    return {
        "_class_name": pipeline,
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", type(model.vae).__name__],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": [None, None],
        "tokenizer": [None, None],
        "prediction_type": card.task,
        "default_denoising_steps": card.steps,
        "default_processing_resolution": card.resolution,
    }
