"""The networks' dimensions, as diffusers' config.json spells them and back."""

from typing import Any

from monostep.errors import CheckpointError
from monostep.network.autoencoder_kl import AutoencoderKLConfig
from monostep.network.autoencoder_tiny import AutoencoderTinyConfig
from monostep.network.unet import UNetConfig

Config = dict[str, Any]


def unet_to_json(config: UNetConfig) -> Config:
    """The config.json with which diffusers builds the same UNet."""
    names = ["CrossAttn" if on else "" for on in config.attention]
    return {
        "_class_name": "UNet2DConditionModel",
        "in_channels": config.in_channels,
        "out_channels": config.out_channels,
        "block_out_channels": list(config.channels),
        "down_block_types": [f"{name}DownBlock2D" for name in names],
        "mid_block_type": "UNetMidBlock2DCrossAttn",
        "up_block_types": [f"{name}UpBlock2D" for name in reversed(names)],
        "layers_per_block": config.layers,
        # diffusers' name; the numbers are of heads, not of channels per head.
        "attention_head_dim": list(config.heads),
        "cross_attention_dim": config.context,
        "norm_num_groups": config.groups,
        "use_linear_projection": True,
    }


def unet_from_json(config: Config) -> UNetConfig:
    """The dimensions of a UNet of the SD2 family; CheckpointError for any other."""
    try:
        channels = tuple(config["block_out_channels"])
        heads = config["attention_head_dim"]
        down, up = config["down_block_types"], config["up_block_types"]
        dimensions = UNetConfig(
            in_channels=config["in_channels"],
            out_channels=config["out_channels"],
            channels=channels,
            attention=tuple(name.startswith("CrossAttn") for name in down),
            heads=tuple(heads) if isinstance(heads, list) else (heads,) * len(channels),
            layers=config["layers_per_block"],
            context=config["cross_attention_dim"],
            groups=config.get("norm_num_groups", 32),
        )
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"UNet config: {error} is missing or of another family") from error
    expected = unet_to_json(dimensions)
    if [down, up] != [expected["down_block_types"], expected["up_block_types"]]:
        raise CheckpointError(f"UNet config: blocks {down} and {up} are not of the SD2 family")
    if not config.get("use_linear_projection", False):
        raise CheckpointError(
            "UNet config: use_linear_projection is false, as in Stable Diffusion 1; "
            "the SD2 family has it true"
        )
    return dimensions


def autoencoder_to_json(config: AutoencoderKLConfig | AutoencoderTinyConfig) -> Config:
    """The config.json with which diffusers builds the same autoencoder."""
    if isinstance(config, AutoencoderKLConfig):
        levels = len(config.channels)
        return {
            "_class_name": "AutoencoderKL",
            "in_channels": 3,
            "out_channels": 3,
            "block_out_channels": list(config.channels),
            "down_block_types": ["DownEncoderBlock2D"] * levels,
            "up_block_types": ["UpDecoderBlock2D"] * levels,
            "layers_per_block": config.layers,
            "latent_channels": config.latent_channels,
            "norm_num_groups": config.groups,
            "scaling_factor": config.scale,
        }
    widths = [config.width] * len(config.encoder_blocks)
    return {
        "_class_name": "AutoencoderTiny",
        "in_channels": 3,
        "out_channels": 3,
        "encoder_block_out_channels": widths,
        "decoder_block_out_channels": widths,
        "num_encoder_blocks": list(config.encoder_blocks),
        "num_decoder_blocks": list(config.decoder_blocks),
        "latent_channels": config.latent_channels,
        "scaling_factor": config.scale,
    }


def autoencoder_from_json(config: Config) -> AutoencoderKLConfig | AutoencoderTinyConfig:
    """The dimensions of an autoencoder of either family; CheckpointError for any other."""
    try:
        match config["_class_name"]:
            case "AutoencoderKL":
                return AutoencoderKLConfig(
                    channels=tuple(config["block_out_channels"]),
                    layers=config["layers_per_block"],
                    latent_channels=config["latent_channels"],
                    groups=config.get("norm_num_groups", 32),
                    scale=config.get("scaling_factor", 0.18215),
                )
            case "AutoencoderTiny":
                return AutoencoderTinyConfig(
                    width=config["encoder_block_out_channels"][0],
                    encoder_blocks=tuple(config["num_encoder_blocks"]),
                    decoder_blocks=tuple(config["num_decoder_blocks"]),
                    latent_channels=config["latent_channels"],
                    scale=config.get("scaling_factor", 1.0),
                )
            case other:
                raise CheckpointError(
                    f"autoencoder config: class {other}; expected AutoencoderKL or AutoencoderTiny"
                )
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"autoencoder config: {error} is missing or odd") from error
