"""The same run on a smaller or larger GPU: as many images a step, in other portions.

Estimates for full-size models, added up from sizes of tensors, not measured on a GPU. The UNet's
float32 weights, gradients and two moments are 13.9 GB, with moments of 8 bits 8.7 GB; autocast
keeps 1.7 GB of bfloat16 weights during a step. Then, an image of 480x640 in bfloat16: decoder 3.6
GB, or 1.6 recomputed; UNet 1.1 GB, or 0.1; a third more at Virtual KITTI's 352x1216. Together:

    16GB   1 image    everything recomputed, moments of 8 bits   13 GB
    24GB   2 images   everything recomputed                      21 GB
    48GB   4 images   the UNet recomputed                        37 GB
    80GB   8 images   nothing recomputed                         70 GB

A network for depth and normals has two maps of each image and 1.2 GB of CLIP: half as many images
at a time, 20, 32 and 54 GB; 16GB are too little.

Products are in bfloat16, whatever the recipe says. With pool=batch the images of a micro-batch are
averaged together, so that the loss depends on how many they are: the preset must then keep them.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from monostep.errors import SettingError
from monostep.training.config import TrainConfig
from monostep.training.geometry_config import GeometryConfig

Config = TypeVar("Config", bound=TrainConfig)

# Images of a micro-batch, and what else changes.
PRESETS: Mapping[str, tuple[int, dict[str, Any]]] = {
    "16GB": (1, {"precision": "bf16", "recompute": "all", "optimiser": "adamw8bit"}),
    "24GB": (2, {"precision": "bf16", "recompute": "all"}),
    "48GB": (4, {"precision": "bf16", "recompute": "unet"}),
    "80GB": (8, {"precision": "bf16", "recompute": "none"}),
}


def preset(config: Config, name: str) -> Config:
    """The config for a GPU with so much memory, with as many images a step as before.

    Raises:
        SettingError: an unknown preset, a run whose step cannot be divided like that, or one with
            pool=batch whose loss would be another.
    """
    if name not in PRESETS:
        raise SettingError(f"preset {name!r}: choose {', '.join(PRESETS)}")
    images, others = PRESETS[name]
    if isinstance(config, GeometryConfig):
        images = _of_two_maps(config, name, images)
    steps = {each * config.accumulate for *_, each in config.phases}
    if len(steps) != 1 or max(steps) % images:
        raise SettingError(
            f"preset {name}: {config.recipe} has steps of {sorted(steps)} images, expected one "
            f"multiple of {images}; set phases, accumulate and precision one by one"
        )
    before = {each for *_, each in config.phases}
    if getattr(config, "pool", "image") == "batch" and before != {images}:
        raise SettingError(
            f"preset {name} has micro-batches of {images} images, {config.recipe} of "
            f"{sorted(before)}, which pool=batch averages together; choose a preset with as many, "
            "or set phases, accumulate and precision one by one"
        )
    (whole,) = steps
    return dataclasses.replace(
        config,
        phases=tuple((*place, images) for *place, _ in config.phases),
        accumulate=whole // images,
        **others,
    )


def _of_two_maps(config: GeometryConfig, name: str, images: int) -> int:
    if images == 1:
        raise SettingError(
            f"preset {name}: {config.recipe} makes two maps of each image, for which it is too "
            "small; choose 24GB or more"
        )
    return images // 2
