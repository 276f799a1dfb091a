"""The networks' dimensions, as diffusers' config.json spells them and back.

What a config leaves out or has as null is as in Stable Diffusion 2. Keys that change nothing at
inference (sample_size, upcast_attention, force_upcast, dropout, ...) are not looked at.
"""

from typing import Any

from monostep.checkpoints.config_values import ConfigValues
from monostep.diffusion.class_numbers import OF_BOTH, OF_GEOMETRY
from monostep.errors import CheckpointError
from monostep.network.autoencoder_kl import AutoencoderKLConfig
from monostep.network.autoencoder_tiny import AutoencoderTinyConfig
from monostep.network.unet import UNetConfig

Config = dict[str, Any]

# What the networks here have no other choice of; null or absent means the same.
UNET = {
    "act_fn": "silu",
    "addition_embed_type": None,
    "center_input_sample": False,
    "class_embeddings_concat": False,
    "conv_in_kernel": 3,
    "conv_out_kernel": 3,
    "cross_attention_norm": None,
    "downsample_padding": 1,
    "dual_cross_attention": False,
    "encoder_hid_dim": None,
    "encoder_hid_dim_type": None,
    "flip_sin_to_cos": True,
    "freq_shift": 0,
    "mid_block_only_cross_attention": None,
    "mid_block_scale_factor": 1,
    "mid_block_type": "UNetMidBlock2DCrossAttn",
    "norm_eps": 1e-5,
    "num_class_embeds": None,
    "only_cross_attention": False,
    "resnet_out_scale_factor": 1.0,
    "resnet_skip_time_act": False,
    "resnet_time_scale_shift": "default",
    "reverse_transformer_layers_per_block": None,
    "time_cond_proj_dim": None,
    "time_embedding_act_fn": None,
    "time_embedding_dim": None,
    "time_embedding_type": "positional",
    "timestep_post_act": None,
    "transformer_layers_per_block": 1,
}
CLASSES = (OF_GEOMETRY, OF_BOTH)  # numbers of a class that anything here can give
AUTOENCODER = {
    "act_fn": "silu",
    "in_channels": 3,
    "latents_mean": None,
    "latents_std": None,
    "mid_block_add_attention": True,
    "out_channels": 3,
    "shift_factor": None,
    "use_post_quant_conv": True,
    "use_quant_conv": True,
}


def unet_to_json(config: UNetConfig) -> Config:
    """The config.json with which diffusers builds the same UNet.

    It does not say whether the halves of a batch see each other: that is the card's.
    """
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
        **_classes_to_json(config.classes),
    }


def unet_from_json(config: Config) -> UNetConfig:
    """The dimensions of a UNet of the SD2 family; CheckpointError for any other.

    One with classes is GeoWizard's, and joint.
    """
    given = ConfigValues(config=config, of="UNet")
    given.check_fixed(UNET)
    channels = given.numbers("block_out_channels")
    classes = _classes_from_json(given)
    heads = "num_attention_heads" if config.get("num_attention_heads") else "attention_head_dim"
    down, up = given.names("down_block_types"), given.names("up_block_types")
    dimensions = UNetConfig(
        in_channels=given.number("in_channels"),
        out_channels=given.number("out_channels"),
        channels=channels,
        attention=tuple(name.startswith("CrossAttn") for name in down),
        heads=given.numbers(heads, len(channels)),
        layers=given.number("layers_per_block"),
        context=given.number("cross_attention_dim"),
        groups=given.number("norm_num_groups", 32),
        classes=classes,
        joint=classes is not None,
    )
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
    given = ConfigValues(config=config, of="autoencoder")
    match config.get("_class_name"):
        case "AutoencoderKL":
            return _autoencoder_kl(given)
        case "AutoencoderTiny":
            return AutoencoderTinyConfig(
                width=given.numbers("encoder_block_out_channels")[0],
                encoder_blocks=given.numbers("num_encoder_blocks", least=0),
                decoder_blocks=given.numbers("num_decoder_blocks", least=0),
                latent_channels=given.number("latent_channels"),
                scale=given.real("scaling_factor", 1.0),
            )
        case other:
            raise CheckpointError(
                f"autoencoder config: class {other}; expected AutoencoderKL or AutoencoderTiny"
            )


def _classes_to_json(numbers: int | None) -> Config:
    if numbers is None:
        return {}
    return {
        "class_embed_type": "projection",
        "class_embeddings_concat": False,
        "projection_class_embeddings_input_dim": numbers,
    }


def _classes_from_json(given: ConfigValues) -> int | None:
    kind = given.config.get("class_embed_type")
    if kind is None:
        return None
    if kind != "projection":
        raise CheckpointError(
            f"UNet config: class_embed_type {kind!r} is not implemented; expected 'projection', as "
            "in GeoWizard, or none"
        )
    numbers = given.number("projection_class_embeddings_input_dim")
    if numbers not in CLASSES:
        expected = " or ".join(map(str, CLASSES))
        raise CheckpointError(
            f"UNet config: projection_class_embeddings_input_dim {numbers}; expected {expected}, "
            "as in GeoWizard"
        )
    return numbers


def _autoencoder_kl(given: ConfigValues) -> AutoencoderKLConfig:
    given.check_fixed(AUTOENCODER)
    dimensions = AutoencoderKLConfig(
        channels=given.numbers("block_out_channels"),
        layers=given.number("layers_per_block"),
        latent_channels=given.number("latent_channels"),
        groups=given.number("norm_num_groups", 32),
        scale=given.real("scaling_factor", 0.18215),
    )
    expected = autoencoder_to_json(dimensions)
    for name in ("down_block_types", "up_block_types"):
        if (blocks := given.config.get(name)) not in (None, expected[name]):
            raise CheckpointError(f"autoencoder config: {name} {blocks}; expected {expected[name]}")
    return dimensions
