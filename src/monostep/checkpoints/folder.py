"""Models of one's own as folders: in the layout of diffusers, with a card and what the UNet reads.

That is the empty prompt; of a joint model the image encoder, or the prompt of each domain.

What others published is opened by `monostep.checkpoints.opening`.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from monostep.checkpoints import (
    dimensions,
    domain_prompts,
    image_encoder_config,
    layout,
    networks,
    prompt,
    scheduler,
    weight_files,
    weights,
)
from monostep.checkpoints.assembly import Context, assemble
from monostep.checkpoints.card import Card, Task, tensor_hash
from monostep.checkpoints.layout import CARD, INDEX, PROMPT
from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.diffusion.latent_diffusion import Autoencoder, LatentDiffusion
from monostep.diffusion.schedule import Schedule
from monostep.errors import CheckpointError
from monostep.files.atomic import write_json

IMAGE_ENCODER = "model.safetensors"  # as transformers calls it
PIPELINES: Mapping[Task, str] = {
    "depth": "MarigoldDepthPipeline",
    "normals": "MarigoldNormalsPipeline",
    "geometry": "DepthNormalEstimationPipeline",
}
BASE = "StableDiffusionPipeline"
NONE = [None, None]  # a component that is not there, as diffusers says it


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
    sampler = _save_parts(model, folder, dtype, state, spacing=card.spacing)
    write_json(folder / INDEX, _index(model, card, sampler=sampler))
    hashed = dataclasses.replace(card, tensor_hash=tensor_hash(_all_tensors(folder)))
    write_json(folder / CARD, hashed.as_dict())


def save_base(
    model: LatentDiffusion,
    folder: Path,
    *,
    dtype: torch.dtype = torch.float32,
    state: Mapping[str, Tensor] | None = None,
) -> None:
    """Write a model that makes images out of noise, as Stable Diffusion's folder; `state` as above.

    It predicts nothing, so it has no card, and the empty prompt in place of a text encoder.
    """
    sampler = _save_parts(model, folder, dtype, state, spacing="trailing")
    words = {"text_encoder": NONE, "tokenizer": NONE}
    parts = _networks(model, sampler)
    write_json(folder / INDEX, {"_class_name": BASE, **parts, **words})


def _save_parts(
    model: LatentDiffusion,
    folder: Path,
    dtype: torch.dtype,
    state: Mapping[str, Tensor] | None,
    *,
    spacing: str,
) -> str:
    """Write all but index and card; returns the sampler's class."""
    state = model.state_dict() if state is None else state
    _save_autoencoder(_under(state, "vae"), model.vae, folder, dtype)
    weights.write(folder / "unet" / weights.NAME, _cast(_under(state, "unet"), dtype))
    write_json(folder / layout.UNET_CONFIG, dimensions.unet_to_json(model.unet.config))
    _save_context(model, _under(state, layout.IMAGE_ENCODER), folder, dtype)
    schedule = scheduler.to_json(model.schedule, spacing)
    write_json(folder / layout.SCHEDULER_CONFIG, schedule)
    return schedule["_class_name"]


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
    chosen = weight_files.choose(layout.names(folder), "unet")
    model = assemble(
        folder,
        unet=networks.unet(folder, chosen, joint=card.attention == "joint"),
        autoencoder=load_autoencoder(folder),
        schedule=load_schedule(folder),
        context=_context(folder, card),
    )
    return model, card


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
    others = {"prompt": PROMPT, layout.IMAGE_ENCODER: f"{layout.IMAGE_ENCODER}/{IMAGE_ENCODER}"}
    files |= {part: folder / name for part, name in others.items() if (folder / name).is_file()}
    return {
        f"{part}/{name}": tensor
        for part, path in files.items()
        for name, tensor in weights.read(path).items()
    }


def _context(folder: Path, card: Card) -> Context:
    files = layout.names(folder)
    if any(name.startswith(f"{layout.IMAGE_ENCODER}/") for name in files):
        return networks.image_encoder(folder, weight_files.choose(files, layout.IMAGE_ENCODER))
    read = domain_prompts.read if card.task == "geometry" else prompt.read
    return read(folder / PROMPT)


def _save_autoencoder(
    state: Mapping[str, Tensor], autoencoder: Autoencoder, folder: Path, dtype: torch.dtype
) -> None:
    weights.write(folder / "vae" / weights.NAME, _cast(state, dtype))
    config = dimensions.autoencoder_to_json(autoencoder.config)
    write_json(folder / layout.VAE_CONFIG, config)


def _save_context(
    model: LatentDiffusion, state: Mapping[str, Tensor], folder: Path, dtype: torch.dtype
) -> None:
    """What the UNet reads beside the latents: a prompt, one of each domain, or what sees them."""
    if not isinstance(model, JointDiffusion):
        weights.write(folder / PROMPT, {"prompt": model.prompt.float()})
    elif model.image_encoder is None:
        weights.write(folder / PROMPT, domain_prompts.tensors(model.prompt))
    else:
        config = model.image_encoder.config
        weights.write(folder / layout.IMAGE_ENCODER / IMAGE_ENCODER, _cast(state, dtype))
        write_json(folder / layout.IMAGE_ENCODER_CONFIG, image_encoder_config.to_json(config))
        preprocessor = image_encoder_config.preprocessor_to_json(config)
        write_json(folder / layout.PREPROCESSOR_CONFIG, preprocessor)


def _under(state: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    start = f"{part}."
    return {name.removeprefix(start): t for name, t in state.items() if name.startswith(start)}


def _cast(tensors: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    return {name: tensor.detach().to(dtype) for name, tensor in tensors.items()}


def _index(model: LatentDiffusion, card: Card, *, sampler: str) -> dict:
    return {
        "_class_name": PIPELINES[card.task],
        **_networks(model, sampler),
        **_others(model, card),
        "default_denoising_steps": card.steps,
        "default_processing_resolution": card.resolution,
    }


def _networks(model: LatentDiffusion, sampler: str) -> dict:
    return {
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", type(model.vae).__name__],
        "scheduler": ["diffusers", sampler],
    }


def _others(model: LatentDiffusion, card: Card) -> dict:
    """The entries in which the pipelines differ."""
    if isinstance(model, JointDiffusion) and model.image_encoder is not None:
        return {
            "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
            "feature_extractor": ["transformers", "CLIPImageProcessor"],
        }
    words = {"text_encoder": NONE, "tokenizer": NONE}
    return words if card.task == "geometry" else {**words, "prediction_type": card.task}
