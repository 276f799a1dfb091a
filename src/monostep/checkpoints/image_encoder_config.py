"""The image encoder's dimensions, in transformers' two files and back.

image_encoder/config.json                      of a CLIPVisionModelWithProjection
feature_extractor/preprocessor_config.json     the square and the colours that it was trained on

The dimensions must be there; activation, epsilon, square and colours are CLIP's where left out.
"""

import math
from typing import Any, TypeAlias, get_args

from monostep.checkpoints.config_values import ConfigValues
from monostep.errors import CheckpointError
from monostep.network.image_encoder import Activation, ImageEncoderConfig

Config: TypeAlias = dict[str, Any]
Colour: TypeAlias = tuple[float, float, float]

OF = "image encoder"
ACTIVATIONS = get_args(Activation)
# What the network here has no other choice of; null or absent means the same.
FIXED = {"model_type": "clip_vision_model", "num_channels": 3}


def to_json(config: ImageEncoderConfig) -> Config:
    """The config.json with which transformers builds the same encoder."""
    return {
        "architectures": ["CLIPVisionModelWithProjection"],
        "model_type": "clip_vision_model",
        "hidden_size": config.width,
        "intermediate_size": config.inner,
        "projection_dim": config.outputs,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_channels": 3,
        "image_size": config.side,
        "patch_size": config.patch,
        "hidden_act": config.activation,
        "layer_norm_eps": config.eps,
    }


def preprocessor_to_json(config: ImageEncoderConfig) -> Config:
    """The preprocessor_config.json that says how its pictures are made."""
    side = {"height": config.side, "width": config.side}
    return {
        "image_processor_type": "CLIPImageProcessor",
        "crop_size": side,
        "do_center_crop": True,
        "do_convert_rgb": True,
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": list(config.mean),
        "image_std": list(config.std),
        "resample": 3,  # bicubic
        "rescale_factor": 1 / 255,
        "size": {"shortest_edge": config.side},
    }


def from_json(config: Config, preprocessor: Config) -> ImageEncoderConfig:
    """The dimensions of an encoder from both of its files; CheckpointError if it is another's."""
    given = ConfigValues(config=config, of=OF)
    given.check_fixed(FIXED)
    activation = config.get("hidden_act") or ACTIVATIONS[0]
    if activation not in ACTIVATIONS:
        raise CheckpointError(
            f"{OF} config: hidden_act {activation!r}; expected {' or '.join(ACTIVATIONS)}"
        )
    dimensions = ImageEncoderConfig(
        side=_side(given.number("image_size"), preprocessor),
        patch=given.number("patch_size"),
        width=given.number("hidden_size"),
        layers=given.number("num_hidden_layers"),
        heads=given.number("num_attention_heads"),
        inner=given.number("intermediate_size"),
        outputs=given.number("projection_dim"),
        activation=activation,
        eps=given.real("layer_norm_eps", 1e-5),
        mean=_colour("image_mean", preprocessor, ImageEncoderConfig.mean),
        std=_colour("image_std", preprocessor, ImageEncoderConfig.std, positive=True),
    )
    for name, part in (("hidden_size", dimensions.heads), ("image_size", dimensions.patch)):
        whole = given.number(name)
        if whole % part:
            raise CheckpointError(f"{OF} config: {name} {whole} cannot be divided by {part}")
    return dimensions


def _side(side: int, preprocessor: Config) -> int:
    """The side of the square, on which both files must agree."""
    crop = preprocessor.get("crop_size")
    match crop:
        case None:
            sides = [side]
        case {"height": height, "width": width} | [height, width]:
            sides = [height, width]
        case _:
            sides = [crop]
    if any(each != side for each in sides):
        raise CheckpointError(
            f"feature extractor config: crop_size {crop!r}; the image encoder looks at {side} "
            "pixels: use the file that came with it"
        )
    return side


def _colour(name: str, preprocessor: Config, default: Colour, *, positive: bool = False) -> Colour:
    """Three numbers, which divide a picture where they must be positive."""
    value = preprocessor.get(name)
    try:
        red, green, blue = (float(number) for number in (default if value is None else value))
    except (TypeError, ValueError):
        red = green = blue = math.nan
    if not math.isfinite(red + green + blue) or (positive and min(red, green, blue) <= 0):
        expected = f"three {'positive ' if positive else ''}numbers"
        raise CheckpointError(f"feature extractor config: {name} {value!r}; expected {expected}")
    return red, green, blue
