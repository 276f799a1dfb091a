"""A checkpoint as diffusers itself loads it, for comparison only."""

import re
from importlib import import_module
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monostep.checkpoints import layout, networks
from monostep.checkpoints.opening import Checkpoint
from monostep.checkpoints.scheduler import LCM, TRAINED
from monostep.errors import CheckpointError, MissingExtraError, SettingError

_LCM_ONLY = {"original_inference_steps", "timestep_scaling"}


def check(checkpoint: Checkpoint) -> None:
    """Tell before weights are read whether there is something to compare with.

    Raises:
        MissingExtraError: diffusers is not installed.
        SettingError: diffusers has no pipeline for such a model.
    """
    try:
        import diffusers  # noqa: F401 - seconds, and only here
    except ImportError as error:
        raise MissingExtraError(
            f"{checkpoint.card.name}: diffusers is not installed; pip install 'monostep[verify]'"
        ) from error
    if checkpoint.file is not None:
        raise SettingError(
            f"{checkpoint.file}: diffusers cannot read the feed-forward form; give the checkpoint "
            "that it was folded from"
        )
    unet = networks.unet_config(checkpoint.folder, checkpoint.unet)
    if unet.in_channels == unet.out_channels:
        raise SettingError(
            f"{checkpoint.card.name}: diffusers has no pipeline for 4-channel geometry models"
        )


def load(
    checkpoint: Checkpoint,
    prompt: Float[Tensor, "token width"],
    device: torch.device,
    *,
    spacing: str,
    dtype: torch.dtype = torch.float32,
) -> Any:
    """The Marigold pipeline of the checkpoint's task, in `dtype`.

    The prompt's embedding is ours: checkpoints may carry it in place of a text encoder.
    """
    diffusers = library()
    autoencoder = layout.read(checkpoint.folder / layout.VAE_CONFIG)["_class_name"]
    fetch_indices(checkpoint)
    parts = {
        "unet": part(checkpoint, diffusers.UNet2DConditionModel, checkpoint.unet, dtype),
        "vae": part(checkpoint, getattr(diffusers, autoencoder), checkpoint.vae, dtype),
    }
    normals = checkpoint.card.task == "normals"
    pipeline = diffusers.MarigoldNormalsPipeline if normals else diffusers.MarigoldDepthPipeline
    built = pipeline(
        **{name: laid_out(made.eval(), dtype) for name, made in parts.items()},
        scheduler=schedule(checkpoint, spacing),
        text_encoder=None,
        tokenizer=None,
        prediction_type=checkpoint.card.task,
        **_invariance(checkpoint),
    ).to(device)
    built.empty_text_embedding = prompt[None].to(device, dtype)
    built.set_progress_bar_config(disable=True)
    return built


def fetch_indices(checkpoint: Checkpoint) -> None:
    """Have what says where sharded weights are: our networks need none, but diffusers does."""
    checkpoint.fetch([name for name in checkpoint.names if name.endswith(".index.json")])


def part(checkpoint: Checkpoint, network: Any, files: tuple[str, ...], dtype: torch.dtype) -> Any:
    """A part as diffusers or transformers reads it, from the same files as ours."""
    folder, first = files[0].split("/")
    variant = re.match(
        r"(?:diffusion_|)(?:pytorch_|)model\.([^.-]+)[.-].*(safetensors|bin)$", first
    )
    try:
        return network.from_pretrained(
            checkpoint.folder,
            subfolder=folder,
            variant=variant and variant[1],
            use_safetensors=first.endswith(".safetensors"),
            torch_dtype=dtype,
        )
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(
            f"{checkpoint.folder}/{folder}: diffusers cannot load it ({reason})"
        ) from error


def library() -> Any:
    """Imported late: it takes seconds, and only this comparison needs it."""
    diffusers: Any = import_module("diffusers")
    diffusers.utils.logging.set_verbosity_error()  # its advice is for other uses
    return diffusers


def laid_out(network: nn.Module, dtype: torch.dtype) -> nn.Module:
    """Weights in memory as ours are: products round by alignment, and ensembles amplify the bit."""
    for weight in network.parameters():
        weight.data = weight.data.to(dtype, copy=True)
    return network


def schedule(checkpoint: Checkpoint, spacing: str) -> Any:
    """The file's scheduler with the right defaults for what it leaves out, and the spacing."""
    diffusers = library()
    file = layout.read(checkpoint.folder / layout.SCHEDULER_CONFIG)
    said = {name: value for name, value in file.items() if value is not None}
    if file.get("_class_name") == LCM:
        return diffusers.LCMScheduler.from_config(TRAINED | said)
    trained = {name: value for name, value in TRAINED.items() if name not in _LCM_ONLY}
    return diffusers.DDIMScheduler.from_config(trained | said | {"timestep_spacing": spacing})


def _invariance(checkpoint: Checkpoint) -> dict[str, bool]:
    if checkpoint.card.task == "normals":
        return {"use_full_z_range": True}
    shift = checkpoint.card.invariance == "affine"
    return {"scale_invariant": True, "shift_invariant": shift}
