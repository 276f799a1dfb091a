from dataclasses import replace

import pytest
import torch
import transformers

from monostep.network.image_encoder import ImageEncoder, quick_gelu
from monostep.network.sizes import CLIP_LARGE, TINY_IMAGE_ENCODER


def _theirs(config):
    return transformers.CLIPVisionModelWithProjection(
        transformers.CLIPVisionConfig(
            image_size=config.side,
            patch_size=config.patch,
            hidden_size=config.width,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            intermediate_size=config.inner,
            projection_dim=config.outputs,
            hidden_act=config.activation,
            layer_norm_eps=config.eps,
        )
    )


def _shaken(network):
    """Nothing a zero or a one any more, and the positions as loud as the patches."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return network


@pytest.fixture(params=["quick_gelu", "gelu"])
def twins(request):
    config = replace(TINY_IMAGE_ENCODER, activation=request.param, eps=1e-3)
    torch.manual_seed(0)
    theirs = _shaken(_theirs(config)).double().eval()
    ours = ImageEncoder(config).double()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return ours, theirs


def _pictures(count, config=TINY_IMAGE_ENCODER):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, 3, config.side, config.side, generator=generator).double()


def test_it_equals_transformers_in_values_and_gradients(twins):
    ours, theirs = twins
    pictures = _pictures(3) * 1.2 - 0.1  # overshoots
    mean, std = (
        torch.tensor(colour, dtype=torch.float64).reshape(1, 3, 1, 1)
        for colour in (ours.config.mean, ours.config.std)
    )
    output, expected = ours(pictures), theirs((pictures - mean) / std).image_embeds
    assert expected.std(dim=0).min() > 0.05  # it tells the pictures apart
    torch.testing.assert_close(output, expected, rtol=1e-10, atol=1e-10)
    output.square().sum().backward()
    expected.square().sum().backward()
    reference = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    for name, parameter in ours.named_parameters():
        assert parameter.grad is not None, name
        torch.testing.assert_close(parameter.grad, reference[name], rtol=1e-8, atol=1e-9, msg=name)


def test_transformers_loads_our_weights_strictly(twins):
    ours, theirs = twins
    theirs.load_state_dict(ours.state_dict(), strict=True)


def test_the_published_size_has_the_weights_of_transformers():
    with torch.device("meta"):
        ours, theirs = ImageEncoder(CLIP_LARGE), _theirs(CLIP_LARGE)
    shapes, expected = (
        {name: weight.shape for name, weight in network.state_dict().items()}
        for network in (ours, theirs)
    )
    assert shapes == expected
    assert sum(parameter.numel() for parameter in ours.parameters()) == 303_966_208


@torch.no_grad()
def test_batch_mates_do_not_matter_and_the_place_of_a_patch_does(twins):
    ours, pictures = twins[0], _pictures(3)
    together = ours(pictures)
    mates = torch.stack([pictures[1], 0 * pictures[0], pictures[2].flip(1)])
    assert torch.equal(ours(mates)[0], ours(mates.roll(1, 0))[1])
    torch.testing.assert_close(ours(mates)[0], together[1], rtol=1e-12, atol=1e-12)
    assert (ours(pictures.roll(TINY_IMAGE_ENCODER.patch, 3)) - together).abs().min() > 1e-4


def test_quick_gelu_is_near_the_gelu_and_zero_at_zero():
    x = torch.linspace(-6, 6, 241)
    assert (quick_gelu(x) - torch.nn.functional.gelu(x)).abs().max() < 0.021
    assert quick_gelu(torch.zeros(())) == 0
