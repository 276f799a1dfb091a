import dataclasses
import json

import marigold_folders
import pytest
import torch

from monostep.checkpoints import dimensions
from monostep.errors import CheckpointError
from monostep.network import sizes

UNETS = [
    *(sizes.SD2_UNET, sizes.NANO_UNET, sizes.TINY_UNET),
    *(sizes.GEOWIZARD_UNET, sizes.GEOWIZARD_V2_UNET, sizes.NANO_JOINT_UNET),
]
AUTOENCODERS = [sizes.SD2_AUTOENCODER, sizes.NANO_AUTOENCODER, sizes.NANO_AUTOENCODER_KL]


@pytest.mark.parametrize("config", UNETS)
def test_unet_dimensions_survive_json(config):
    assert dimensions.unet_from_json(dimensions.unet_to_json(config)) == config


@pytest.mark.parametrize("config", AUTOENCODERS)
def test_autoencoder_dimensions_survive_json(config):
    assert dimensions.autoencoder_from_json(dimensions.autoencoder_to_json(config)) == config


# As published with Marigold v1.0 and Stable Diffusion 2: old files lack most of the newer keys.
SD2 = {
    "_class_name": "UNet2DConditionModel",
    "_diffusers_version": "0.8.0",
    "act_fn": "silu",
    "attention_head_dim": [5, 10, 20, 20],
    "block_out_channels": [320, 640, 1280, 1280],
    "center_input_sample": False,
    "cross_attention_dim": 1024,
    "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
    "downsample_padding": 1,
    "dual_cross_attention": False,
    "flip_sin_to_cos": True,
    "freq_shift": 0,
    "in_channels": 8,
    "layers_per_block": 2,
    "mid_block_scale_factor": 1,
    "norm_eps": 1e-05,
    "norm_num_groups": 32,
    "out_channels": 4,
    "sample_size": 96,
    "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
    "use_linear_projection": True,
}
OLD_VAE = {
    "_class_name": "AutoencoderKL",
    "act_fn": "silu",
    "block_out_channels": [128, 256, 512, 512],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "in_channels": 3,
    "latent_channels": 4,
    "layers_per_block": 2,
    "norm_num_groups": 32,
    "out_channels": 3,
    "sample_size": 768,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
}
# What GeoWizard's configs add, beside the numbers.
TOLD = {
    "class_embed_type": "projection",
    "class_embeddings_concat": False,
    "projection_class_embeddings_input_dim": 10,
}
NULLS = {**dict.fromkeys(dimensions.UNET), "sample_size": None, "norm_num_groups": None}


def test_old_published_configs_are_stable_diffusion_2():
    assert dimensions.unet_from_json(SD2) == sizes.SD2_UNET
    assert dimensions.autoencoder_from_json(OLD_VAE) == sizes.SD2_AUTOENCODER
    newer = {**OLD_VAE, "force_upcast": True, "scaling_factor": None, "shift_factor": None}
    assert dimensions.autoencoder_from_json(newer) == sizes.SD2_AUTOENCODER


def test_null_is_as_good_as_absent():
    assert dimensions.unet_from_json({**SD2, **NULLS}) == sizes.SD2_UNET
    nulls = dict.fromkeys(dimensions.AUTOENCODER)
    assert dimensions.autoencoder_from_json({**OLD_VAE, **nulls}) == sizes.SD2_AUTOENCODER


def test_one_number_stands_for_all_levels_and_many_alike_for_one():
    one = dimensions.unet_from_json({**SD2, "attention_head_dim": 8})
    assert one.heads == (8, 8, 8, 8)
    heads = {"num_attention_heads": [5, 10, 20, 20], "attention_head_dim": 8}
    assert dimensions.unet_from_json({**SD2, **heads}) == sizes.SD2_UNET
    alike = {"layers_per_block": [2, 2, 2, 2], "cross_attention_dim": [1024] * 4}
    assert dimensions.unet_from_json({**SD2, **alike}) == sizes.SD2_UNET


@pytest.mark.parametrize("numbers", [10, 4])
def test_geowizards_published_keys_are_classes_and_joint_attention(numbers):
    keys = {**SD2, **TOLD, "projection_class_embeddings_input_dim": numbers}
    width = 768 if numbers == 10 else 1024
    expected = sizes.GEOWIZARD_UNET if numbers == 10 else sizes.GEOWIZARD_V2_UNET
    assert dimensions.unet_from_json({**keys, "cross_attention_dim": width}) == expected


def test_attention_is_not_said_by_the_config_but_by_the_card():
    separate = dataclasses.replace(sizes.GEOWIZARD_UNET, joint=False)
    written = dimensions.unet_to_json(separate)
    assert written == dimensions.unet_to_json(sizes.GEOWIZARD_UNET)


def test_every_key_that_diffusers_writes_is_accepted():
    with torch.random.fork_rng():
        unet, vae = marigold_folders.networks("marigold-depth-v1-0")
    written = [json.loads(network.to_json_string()) for network in (unet, vae)]
    assert dimensions.unet_from_json(written[0]) == sizes.TINY_UNET
    assert dimensions.autoencoder_from_json(written[1]) == sizes.TINY_AUTOENCODER


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"block_out_channels": None}, "missing or of another family"),
        ({"cross_attention_dim": None}, "cross_attention_dim is missing"),
        ({"cross_attention_dim": [8, 16]}, r"cross_attention_dim \[8, 16\]; expected a positive"),
        ({"attention_head_dim": [5, 10]}, "expected 4 whole numbers >= 1"),
        ({"in_channels": "8"}, "in_channels '8'; expected a positive whole number"),
        ({"use_linear_projection": False}, "Stable Diffusion 1"),
        ({"up_block_types": ["UpBlock2D"] * 4}, "not of the SD2 family"),
        ({"down_block_types": ["AttnDownBlock2D"] * 4}, "not of the SD2 family"),
        ({"down_block_types": "DownBlock2D"}, "expected a list of names"),
        ({"class_embed_type": "projection"}, "projection_class_embeddings_input_dim is missing"),
        ({**TOLD, "projection_class_embeddings_input_dim": 7}, "input_dim 7; expected 4 or 10"),
        ({**TOLD, "class_embeddings_concat": True}, "class_embeddings_concat True is not implem"),
        ({"class_embed_type": "timestep"}, "class_embed_type 'timestep' is not implemented"),
        ({"act_fn": "gelu"}, "act_fn 'gelu' is not implemented; expected 'silu'"),
        ({"freq_shift": 1}, "freq_shift 1 is not implemented"),
        ({"only_cross_attention": True}, "only_cross_attention True"),
        ({"transformer_layers_per_block": 2}, "transformer_layers_per_block 2"),
        ({"addition_embed_type": "text_time"}, "addition_embed_type 'text_time'"),
        ({"mid_block_type": "UNetMidBlock2D"}, "mid_block_type"),
    ],
)
def test_a_unet_of_another_family_is_refused(change, message):
    with pytest.raises(CheckpointError, match=message):
        dimensions.unet_from_json({**SD2, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"_class_name": "VQModel"}, "VQModel; expected AutoencoderKL or AutoencoderTiny"),
        ({"latent_channels": None}, "latent_channels is missing"),
        ({"act_fn": "relu"}, "act_fn 'relu' is not implemented"),
        ({"shift_factor": 0.1}, "shift_factor 0.1 is not implemented"),
        ({"use_quant_conv": False}, "use_quant_conv False"),
        ({"scaling_factor": -1}, "scaling_factor -1; expected a positive number"),
        ({"up_block_types": ["AttnUpDecoderBlock2D"] * 4}, "up_block_types"),
    ],
)
def test_another_autoencoder_is_refused(change, message):
    with pytest.raises(CheckpointError, match=message):
        dimensions.autoencoder_from_json({**OLD_VAE, **change})
