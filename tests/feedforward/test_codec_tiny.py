import pytest
import torch
from shaken_models import TINY_CODEC
from torch import nn

from monostep.feedforward import codec_tiny


def _filled(module):
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.2)
    return module


@pytest.mark.parametrize(
    ("size", "latent"), [((16, 24), (4, 6)), ((17, 22), (5, 6)), ((1, 1), (1, 1))]
)
def test_odd_sides_of_an_image_round_up(size, latent):
    encoder = _filled(codec_tiny.Encoder(TINY_CODEC))
    with torch.no_grad():
        assert encoder(torch.rand(2, 3, *size)).shape == (2, 4, *latent)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_map_has_the_tasks_channels(channels):
    decoder = _filled(codec_tiny.Decoder(TINY_CODEC, channels=channels))
    with torch.no_grad():
        assert decoder(torch.randn(1, 4, 4, 6)).shape == (1, channels, 16, 24)


def test_latents_far_out_are_softly_limited():
    decoder = _filled(codec_tiny.Decoder(TINY_CODEC, channels=3))
    far = torch.full((1, 4, 2, 2), 50 * TINY_CODEC.scale)
    with torch.no_grad():
        torch.testing.assert_close(decoder(far), decoder(2 * far))


def test_the_last_convolution_may_have_another_precision():
    decoder = _filled(codec_tiny.Decoder(TINY_CODEC, channels=1)).bfloat16()
    decoder.out.float()
    latent = torch.randn(1, 4, 4, 6).bfloat16()
    with torch.no_grad():
        assert decoder(latent).dtype == torch.float32
