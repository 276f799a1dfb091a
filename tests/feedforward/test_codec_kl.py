import pytest
import torch
from torch import nn

from monostep.feedforward import codec_kl
from monostep.network.blocks import DownsampleFloor
from monostep.network.sizes import TINY_AUTOENCODER


def _filled(module):
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.2)
    return module


def _stream(module, strip):
    for layer in module.modules():
        if hasattr(layer, "strip"):
            layer.strip = strip
    return module


@pytest.mark.parametrize("size", [(2, 2), (8, 6), (9, 7), (13, 10)])
@pytest.mark.parametrize("strip", [0, 1, 1000, 1300])
def test_halving_is_the_networks_own_whole_or_in_strips(strip, size):
    theirs, ours = DownsampleFloor(8), codec_kl.Halve(8)
    ours.conv.load_state_dict(theirs.conv.state_dict())
    features = torch.randn(2, 8, *size).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        expected = theirs(features)
    assert expected.shape[2:] == (size[0] // 2, size[1] // 2)
    with torch.inference_mode():
        halved = _stream(ours, strip)(features)
    torch.testing.assert_close(halved, expected, rtol=1e-5, atol=1e-5)


def test_nothing_is_halved_in_strips_where_gradients_are_wanted(monkeypatch):
    ours = _stream(_filled(codec_kl.Halve(8)), 1)
    calls = []
    halved = ours._halved
    monkeypatch.setattr(ours, "_halved", lambda part: calls.append(len(part)) or halved(part))
    ours(torch.randn(1, 8, 12, 6))
    assert len(calls) == 1
    with torch.inference_mode():
        ours(torch.randn(1, 8, 12, 6))
    assert len(calls) == 1 + 6


@pytest.mark.parametrize("strip", [1, 5000])
def test_streamed_is_whole(strip):
    encoder = _filled(codec_kl.Encoder(TINY_AUTOENCODER))
    decoder = _filled(codec_kl.Decoder(TINY_AUTOENCODER, channels=1))
    image = torch.randn(1, 3, 40, 56).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        latent = encoder(image)
        decoded = decoder(latent)
    assert latent.shape == (1, 4, 5, 7)
    assert decoded.shape == (1, 1, 40, 56)
    with torch.inference_mode():
        torch.testing.assert_close(_stream(encoder, strip)(image), latent, rtol=1e-4, atol=1e-4)
        again = _stream(decoder, strip)(latent.clone())
    torch.testing.assert_close(again, decoded, rtol=1e-4, atol=1e-4)
