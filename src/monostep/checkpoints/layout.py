"""Where things lie in a checkpoint folder, and how its small files are read.

model_index.json                                what diffusers reads first
card.json                                       what monostep reads first, where there is one
unet/, vae/                                     config.json and weights
unet_v2/                                        GeoWizard's second UNet, beside its first
scheduler/scheduler_config.json                 the noise schedule
prompt_embedding.safetensors                    the empty prompt, or the prompt of each domain
text_encoder/, tokenizer/                       what computes them where they are not carried
image_encoder/, feature_extractor/              of GeoWizard: what looks at the picture, and how
"""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from monostep.errors import CheckpointError, InputError
from monostep.files.atomic import read_json
from monostep.files.metadata import from_json

CARD, INDEX, PROMPT = "card.json", "model_index.json", "prompt_embedding.safetensors"
UNET, UNET_V2, IMAGE_ENCODER = "unet", "unet_v2", "image_encoder"
UNET_CONFIG, VAE_CONFIG = "unet/config.json", "vae/config.json"
IMAGE_ENCODER_CONFIG = "image_encoder/config.json"
PREPROCESSOR_CONFIG = "feature_extractor/preprocessor_config.json"
SCHEDULER_CONFIG = "scheduler/scheduler_config.json"
UNETS = (UNET, UNET_V2)
PARTS = (
    *(*UNETS, "vae", "scheduler"),
    *("text_encoder", "tokenizer", IMAGE_ENCODER, "feature_extractor"),
)

# A string, to be kept, or a comma between a value and the bracket that closes its list or object.
TRAILING = re.compile(r'("(?:[^"\\]|\\.)*")|(?<=[\w"\]}])\s*,(?=\s*[\]}])')


def names(folder: Path) -> tuple[str, ...]:
    """The files of a checkpoint, relative to it, with forward slashes; no others are looked at."""
    places = [folder, *(folder / part for part in PARTS)]
    files = (file for place in places if place.is_dir() for file in place.iterdir())
    return tuple(sorted(f.relative_to(folder).as_posix() for f in files if f.is_file()))


def read(path: Path) -> dict[str, Any]:
    """The JSON object in a file of a checkpoint; CheckpointError if there is none.

    A comma after the last entry is let pass, as GeoWizard's published index has one.
    """
    try:
        return read_json(path)
    except (OSError, InputError) as error:
        with suppress(OSError, InputError, UnicodeDecodeError):
            return from_json(TRAILING.sub(r"\1", path.read_text("utf-8")), where=str(path))
        raise CheckpointError(f"{error}; is this a model folder?") from error
