"""Where things lie in a checkpoint folder, and how its small files are read.

model_index.json                                what diffusers reads first
card.json                                       what monostep reads first, where there is one
unet/, vae/                                     config.json and weights
scheduler/scheduler_config.json                 the noise schedule
prompt_embedding.safetensors, text_encoder/     the empty prompt, or what computes it
"""

from pathlib import Path
from typing import Any

from monostep.errors import CheckpointError, InputError
from monostep.files.atomic import read_json

CARD, INDEX, PROMPT = "card.json", "model_index.json", "prompt_embedding.safetensors"
UNET_CONFIG, VAE_CONFIG = "unet/config.json", "vae/config.json"
SCHEDULER_CONFIG = "scheduler/scheduler_config.json"
PARTS = ("unet", "vae", "scheduler", "text_encoder")


def names(folder: Path) -> tuple[str, ...]:
    """The files of a checkpoint, relative to it, with forward slashes; no others are looked at."""
    places = [folder, *(folder / part for part in PARTS)]
    files = (file for place in places if place.is_dir() for file in place.iterdir())
    return tuple(sorted(f.relative_to(folder).as_posix() for f in files if f.is_file()))


def read(path: Path) -> dict[str, Any]:
    """The JSON object in a file of a checkpoint; CheckpointError if there is none."""
    try:
        return read_json(path)
    except (OSError, InputError) as error:
        raise CheckpointError(
            f"{path}: cannot be read ({error}); is this a model folder?"
        ) from error
