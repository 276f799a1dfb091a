from dataclasses import replace
from pathlib import Path

import pytest
import torch

from monostep.checkpoints.assembly import assemble
from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.errors import CheckpointError
from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.network.image_encoder import ImageEncoder
from monostep.network.sizes import (
    TINY_AUTOENCODER,
    TINY_IMAGE_ENCODER,
    TINY_JOINT_UNET,
    TINY_JOINT_V2_UNET,
    TINY_UNET,
)
from monostep.network.unet import UNet


def put_together(config, context):
    with torch.device("meta"):
        unet, autoencoder = UNet(config), AutoencoderKL(TINY_AUTOENCODER)
    schedule = Schedule(alpha_bar=scaled_linear(), target="velocity")
    return assemble(
        Path("a/folder"), unet=unet, autoencoder=autoencoder, schedule=schedule, context=context
    )


def encoder(**other):
    with torch.device("meta"):
        return ImageEncoder(replace(TINY_IMAGE_ENCODER, **other))


def test_what_a_unet_reads_decides_what_the_model_is():
    plain = put_together(TINY_UNET, torch.randn(2, 16))
    assert (type(plain), plain.prompt_tokens) == (LatentDiffusion, 2)
    sees = put_together(TINY_JOINT_UNET, encoder())
    assert (type(sees), sees.side) == (JointDiffusion, TINY_IMAGE_ENCODER.side)
    hears = put_together(TINY_JOINT_V2_UNET, torch.randn(3, 4, 16))
    assert (type(hears), hears.side, hears.prompt_tokens) == (JointDiffusion, 0, 4)
    assert not any(model.training for model in (plain, sees, hears))


@pytest.mark.parametrize(
    ("config", "context", "message"),
    [
        (TINY_UNET, torch.zeros(2, 24), r"folder: the prompt is 24 wide, .*; text encoder and"),
        (TINY_JOINT_V2_UNET, torch.zeros(3, 4, 24), "prompt is 24 wide, the UNet expects 16"),
        (TINY_UNET, torch.zeros(3, 4, 16), "told no numbers of a class, with this prompt it must"),
        (TINY_JOINT_UNET, torch.zeros(2, 16), r"told 10 numbers of a class, .* it must be none"),
        (TINY_JOINT_UNET, torch.zeros(3, 4, 16), r"told 10 numbers of a class, .* it must be 4"),
        (TINY_JOINT_V2_UNET, encoder(), r"told 4 numbers .* vector it must be 10"),
        (TINY_JOINT_UNET, encoder(outputs=24), r"vector is 24 wide, .* 16; image encoder and UNet"),
    ],
)
def test_parts_that_do_not_belong_together_are_named(config, context, message):
    with pytest.raises(CheckpointError, match=message):
        put_together(config, context)
