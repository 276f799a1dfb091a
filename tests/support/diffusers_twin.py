"""The same networks as diffusers builds them: the oracle of the tests."""

import warnings

import torch
from torch import nn

from monostep.network.autoencoder_kl import AutoencoderKLConfig
from monostep.network.autoencoder_tiny import AutoencoderTinyConfig
from monostep.network.unet import UNetConfig

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import diffusers


def unet(config: UNetConfig) -> nn.Module:
    down = ["CrossAttnDownBlock2D" if on else "DownBlock2D" for on in config.attention]
    up = ["CrossAttnUpBlock2D" if on else "UpBlock2D" for on in reversed(config.attention)]
    return diffusers.UNet2DConditionModel(
        in_channels=config.in_channels,
        out_channels=config.out_channels,
        block_out_channels=config.channels,
        down_block_types=tuple(down),
        up_block_types=tuple(up),
        layers_per_block=config.layers,
        cross_attention_dim=config.context,
        attention_head_dim=config.heads,
        use_linear_projection=True,
        norm_num_groups=config.groups,
        class_embed_type=None if config.classes is None else "projection",
        projection_class_embeddings_input_dim=config.classes,
        class_embeddings_concat=False,
    )


def autoencoder_kl(config: AutoencoderKLConfig) -> nn.Module:
    levels = len(config.channels)
    return diffusers.AutoencoderKL(
        block_out_channels=config.channels,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        layers_per_block=config.layers,
        latent_channels=config.latent_channels,
        norm_num_groups=config.groups,
    )


def autoencoder_tiny(config: AutoencoderTinyConfig) -> nn.Module:
    widths = (config.width,) * len(config.encoder_blocks)
    return diffusers.AutoencoderTiny(
        encoder_block_out_channels=widths,
        decoder_block_out_channels=widths,
        num_encoder_blocks=config.encoder_blocks,
        num_decoder_blocks=config.decoder_blocks,
        latent_channels=config.latent_channels,
    )


def assert_equal_in_values_and_gradients(ours: nn.Module, theirs: nn.Module, size) -> None:
    """Round trip of a random image through both, in double precision.

    In float32 the convolutions round differently with the alignment of the weights in memory.
    """
    image = torch.rand(2, 3, *size, dtype=torch.float64) * 2 - 1
    their_encode = lambda x: _mean(theirs.encode(x))  # noqa: E731
    their_decode = lambda z: theirs.decode(z).sample  # noqa: E731
    outputs, gradients = [], []
    for model, encode, decode in (
        (ours, ours.encode, ours.decode),
        (theirs, their_encode, their_decode),
    ):
        model.zero_grad()
        latent = encode(image)
        decoded = decode(latent)
        decoded.square().mean().backward()
        outputs.append((latent, decoded))
        gradients.append({name: p.grad for name, p in model.named_parameters()})
    for our_output, their_output in zip(*outputs, strict=True):
        torch.testing.assert_close(our_output, their_output, rtol=1e-10, atol=1e-10)
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], rtol=1e-9, atol=1e-10, msg=name)


def _mean(encoded):
    return encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.mean
