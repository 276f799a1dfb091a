"""The folded autoencoders against those with scales and moments, in float64."""

import copy

import pytest
import shaken_models
import torch

from monostep.feedforward import codec_kl, codec_tiny, fold_codec
from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.network.autoencoder_tiny import AutoencoderTiny
from monostep.network.sizes import NANO_AUTOENCODER, TINY_AUTOENCODER

KINDS = {
    "kl": (AutoencoderKL, TINY_AUTOENCODER, codec_kl, fold_codec.kl),
    "tiny": (AutoencoderTiny, shaken_models.TINY_CODEC, codec_tiny, fold_codec.tiny),
    "nano": (AutoencoderTiny, NANO_AUTOENCODER, codec_tiny, fold_codec.tiny),
}
NEAR = dict(rtol=0, atol=1e-10)


def _both(kind, channels):
    """The autoencoder, and the encoder and decoder that it folds into, in float64."""
    make, config, folded, fold = KINDS[kind]
    source = make(config)
    shaken_models.shake(source)
    source = source.double().eval()
    named = dict(fold(copy.deepcopy(source), mean=channels == 1))
    parts = []
    for part, module in (
        ("encoder", folded.Encoder(config)),
        ("decoder", folded.Decoder(config, channels=channels)),
    ):
        weights = {
            name.removeprefix(f"{part}."): tensor.double()
            for name, tensor in named.items()
            if name.startswith(f"{part}.")
        }
        parts.append(module.double())
        parts[-1].load_state_dict(weights, strict=True)
    return source, *parts


# The last two are no multiples of 8: the KL encoder rounds such a side down, the tiny one up.
@pytest.mark.parametrize("kind", KINDS)
def test_the_latent_is_the_scaled_mean(kind):
    source, encoder, _ = _both(kind, 3)
    for size in [(64, 64), (24, 40), (61, 43), (17, 34)]:
        image = torch.rand(2, 3, *size, dtype=torch.float64) * 2 - 1
        with torch.no_grad():
            expected = source.config.scale * source.encode(image)
            latent = encoder(image)
        assert expected.std() > 0.01
        torch.testing.assert_close(latent, expected, **NEAR)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_the_map_is_the_decoded_one_and_depth_its_mean(kind, channels):
    source, _, decoder = _both(kind, channels)
    for size in [(8, 8), (3, 5), (1, 1)]:
        latent = torch.randn(2, source.config.latent_channels, *size, dtype=torch.float64)
        with torch.no_grad():
            expected = source.decode(latent / source.config.scale)
            decoded = decoder(latent)
        expected = expected if channels == 3 else expected.mean(1, keepdim=True)
        assert expected.std() > 0.01
        torch.testing.assert_close(decoded, expected, **NEAR)


@pytest.mark.parametrize("kind", KINDS)
def test_an_autoencoder_that_was_folded_has_no_large_weights(kind):
    make, config, _, fold = KINDS[kind]
    source = make(config)
    for _ in fold(source, mean=True):
        pass
    assert max((each.numel() for each in source.parameters()), default=0) <= 64  # norms
