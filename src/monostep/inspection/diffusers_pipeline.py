"""A checkpoint as diffusers itself loads it, for comparison only."""

from importlib import import_module
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monostep.checkpoints.opening import Checkpoint
from monostep.checkpoints.scheduler import LCM, TRAINED
from monostep.diffusion.latent_diffusion import channels_last
from monostep.errors import MissingExtraError
from monostep.files.atomic import read_json

_LCM_ONLY = {"original_inference_steps", "timestep_scaling"}


def check(checkpoint: Checkpoint) -> None:
    """Raise MissingExtraError if diffusers is not there to compare with."""
    try:
        import diffusers  # noqa: F401 - seconds, and only here
    except ImportError as error:
        raise MissingExtraError(
            f"verify {checkpoint.card.name}: diffusers is not installed; "
            "pip install 'monostep[verify]'"
        ) from error


def load(
    checkpoint: Checkpoint,
    prompt: Float[Tensor, "token width"],
    device: torch.device,
    *,
    spacing: str,
) -> Any:
    """The Marigold pipeline of the checkpoint's task, in float32.

    The prompt's embedding is ours: checkpoints may carry it in place of a text encoder.
    """
    diffusers = _diffusers()
    folder, variant = checkpoint.folder, checkpoint.variant
    index = read_json(folder / "vae" / "config.json")
    autoencoder = getattr(diffusers, index["_class_name"])
    parts = {
        "unet": diffusers.UNet2DConditionModel.from_pretrained(
            folder, subfolder="unet", variant=variant
        ),
        "vae": autoencoder.from_pretrained(folder, subfolder="vae", variant=variant),
    }
    normals = checkpoint.card.task == "normals"
    pipeline = diffusers.MarigoldNormalsPipeline if normals else diffusers.MarigoldDepthPipeline
    built = pipeline(
        **{name: _laid_out(part.eval()) for name, part in parts.items()},
        scheduler=_scheduler(checkpoint, spacing),
        text_encoder=None,
        tokenizer=None,
        prediction_type=checkpoint.card.task,
        **_invariance(checkpoint),
    ).to(device)
    built.empty_text_embedding = prompt[None].to(device)
    built.set_progress_bar_config(disable=True)
    return built


def _diffusers() -> Any:
    """Imported late: it takes seconds, and only this comparison needs it."""
    diffusers: Any = import_module("diffusers")
    diffusers.utils.logging.set_verbosity_error()  # its advice is for other uses
    return diffusers


def _laid_out(network: nn.Module) -> nn.Module:
    """Weights in memory as ours are: products round by alignment, and ensembles amplify the bit."""
    for weight in network.parameters():
        weight.data = weight.data.float().clone()
    return channels_last(network)


def _scheduler(checkpoint: Checkpoint, spacing: str) -> Any:
    """The file's scheduler with the right defaults for what it leaves out, and the spacing."""
    diffusers = _diffusers()
    file = read_json(checkpoint.folder / "scheduler" / "scheduler_config.json")
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
