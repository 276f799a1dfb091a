import pytest
import shaken_models
import torch
from torch import nn
from torch.nn import functional as F

from monostep.feedforward import blocks, prompts
from monostep.network import attention as plain
from monostep.network.blocks import ResidualBlock


def _filled(module):
    with torch.no_grad():
        for parameter in module.parameters():
            nn.init.normal_(parameter, std=0.3)
    return module


def _map(*shape):
    return torch.randn(shape).contiguous(memory_format=torch.channels_last)


def _streamed(module, strip, *inputs):
    """What the module gives in inference mode, in strips of so many bytes."""
    for layer in module.modules():
        if hasattr(layer, "strip"):
            layer.strip = strip
    with torch.inference_mode():
        return module(*(one.clone() for one in inputs))


def _whole(module, *inputs):
    with torch.no_grad():
        return module(*inputs)


@pytest.mark.parametrize("strip", [1, 700, 2000, 10**9])
@pytest.mark.parametrize("timed", ["never", "once", "each"])
@pytest.mark.parametrize("outputs", [8, 16])
@pytest.mark.parametrize("batch", [1, 2])
def test_a_streamed_residual_block_is_the_whole_one(batch, outputs, timed, strip):
    block = _filled(blocks.Residual(8, outputs, groups=4, eps=1e-5, timed=timed != "never"))
    bias = {"once": [torch.randn(outputs)], "each": [torch.randn(batch, outputs)], "never": []}
    inputs = (_map(batch, 8, 13, 6), *bias[timed])
    expected = _whole(block, *inputs)
    torch.testing.assert_close(_streamed(block, strip, *inputs), expected, rtol=1e-5, atol=1e-4)


def test_a_streamed_block_leaves_its_input_alone():
    block = _filled(blocks.Residual(8, 8, groups=4, eps=1e-5))
    features = _map(1, 8, 13, 6)
    before = features.clone()
    for layer in (block.first, block.second):
        layer.strip = 1
    with torch.inference_mode():
        block(features)
    assert torch.equal(features, before)


def test_a_residual_block_is_the_networks_own():
    theirs = ResidualBlock(8, 16, groups=4, eps=1e-5)
    shaken_models.shake(theirs)
    ours = blocks.Residual(8, 16, groups=4, eps=1e-5)
    pairs = [
        (ours.first.norm, theirs.norm1),
        (ours.first.conv, theirs.conv1),
        (ours.second.norm, theirs.norm2),
        (ours.second.conv, theirs.conv2),
        (ours.shortcut, theirs.conv_shortcut),
    ]
    for mine, other in pairs:
        mine.load_state_dict(other.state_dict())
    features = _map(2, 8, 5, 6)
    torch.testing.assert_close(_whole(ours, features), _whole(theirs, features))


@pytest.mark.parametrize("strip", [1, 20_000])
@pytest.mark.parametrize("batch", [1, 2])
def test_the_feed_forward_part_in_parts_is_the_whole(batch, strip):
    layer, tokens = _filled(blocks.GatedFeedForward(16)), torch.randn(batch, 150, 16)
    expected = _whole(layer, tokens)
    torch.testing.assert_close(_streamed(layer, strip, tokens), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("strip", [1, 30_000, 10**9])
@pytest.mark.parametrize("heads", [1, 4])
def test_attention_in_parts_is_attention(heads, strip):
    layer = _filled(blocks.SelfAttention(16, heads=heads, bias=True))
    tokens = torch.randn(2, 150, 16)
    expected = _whole(layer, tokens)
    torch.testing.assert_close(_streamed(layer, strip, tokens), expected, rtol=1e-5, atol=1e-4)


def test_attention_is_the_networks_own_with_one_product_for_three():
    theirs = plain.Attention(16, heads=4, bias=True)
    ours = blocks.SelfAttention(16, heads=4, bias=True)
    for part in ("weight", "bias"):
        three = [getattr(each, part).data for each in (theirs.to_q, theirs.to_k, theirs.to_v)]
        getattr(ours.inward, part).data = torch.cat(three)
        getattr(ours.outward, part).data = getattr(theirs.to_out[0], part).data
    tokens = torch.randn(2, 30, 16)
    torch.testing.assert_close(_whole(ours, tokens), _whole(theirs, tokens))


def _transformer(*, tokens=2, domains=None, **asked):
    prompt = prompts.attention(16, heads=4, tokens=tokens, domains=domains)
    return _filled(blocks.Transformer(16, heads=4, groups=4, prompt=prompt, **asked))


@pytest.mark.parametrize("tokens", [1, 2, 3, 77])
def test_a_streamed_transformer_is_the_whole_one(tokens):
    layer, features = _transformer(tokens=tokens), _map(2, 16, 9, 10)
    expected = _whole(layer, features)
    assert expected.shape == features.shape
    torch.testing.assert_close(_streamed(layer, 1, features), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("joint", [False, True], ids=["separate", "joint"])
@pytest.mark.parametrize("tokens", [0, 3], ids=["a vector is told", "a domain is told"])
def test_a_streamed_transformer_of_two_maps_is_the_whole_one(tokens, joint):
    told = torch.tensor([2, 0]) if tokens else torch.randn(2, 16)
    layer = _transformer(tokens=tokens, domains=3, halves=2, joint=joint)
    features = _map(4, 16, 9, 10)  # of two images
    expected = _whole(layer, features, told)
    assert expected.shape == features.shape
    torch.testing.assert_close(_streamed(layer, 1, features, told), expected, rtol=1e-4, atol=1e-3)


def test_joint_attention_is_the_networks_own():
    theirs = plain.Attention(16, heads=4, bias=True, joint=True)
    layer = _transformer(tokens=0, halves=2, joint=True)
    ours = layer.attention
    for part in ("weight", "bias"):
        three = [getattr(each, part).data for each in (theirs.to_q, theirs.to_k, theirs.to_v)]
        getattr(ours.inward, part).data = torch.cat(three)
        getattr(ours.outward, part).data = getattr(theirs.to_out[0], part).data
    depths, normals = torch.randn(2, 3, 30, 16)
    expected = _whole(theirs, torch.cat([depths, normals]))
    read = _whole(ours, torch.cat([depths, normals], dim=1))  # of an image one after the other
    torch.testing.assert_close(torch.cat(read.split(30, dim=1)), expected)


@pytest.mark.parametrize("joint", [False, True], ids=["separate", "joint"])
def test_maps_see_each_other_only_in_joint_attention(joint):
    layer, told = _transformer(tokens=0, halves=2, joint=joint), torch.randn(2, 16)
    features = _map(4, 16, 5, 6)
    before = _whole(layer, features, told)
    features[1] += 1 + torch.randn(16, 5, 6)  # the second map of the first image
    change = (_whole(layer, features, told) - before).abs().amax((1, 2, 3))
    assert (change > 1e-3).tolist() == [joint, True, False, False]


def test_separate_maps_are_done_as_if_they_were_images():
    layer = _transformer(tokens=0, halves=2)
    alone = _transformer(tokens=1)
    alone.load_state_dict(layer.state_dict(), strict=False)
    features, told = _map(4, 16, 5, 6), torch.randn(2, 16)
    for image, vector in enumerate(told):
        alone.prompt.bias.data = vector
        maps = features[2 * image : 2 * image + 2]
        expected = _whole(alone, maps)
        torch.testing.assert_close(_whole(layer, maps, told[image : image + 1]), expected)
        together = _whole(layer, features, told)[2 * image : 2 * image + 2]
        torch.testing.assert_close(together, expected, rtol=1e-5, atol=1e-5)


def test_pixel_attention_is_attention_over_normalised_pixels():
    layer = _filled(blocks.PixelAttention(8, groups=4))
    features = _map(2, 8, 5, 4)
    normal = F.group_norm(features, 4, eps=1e-6).flatten(2).mT
    expected = features + _whole(layer.attention, normal).mT.unflatten(2, (5, 4))
    torch.testing.assert_close(_whole(layer, features), expected)


def test_nothing_streams_where_gradients_are_wanted(monkeypatch):
    block = _filled(blocks.Residual(8, 8, groups=4, eps=1e-5))
    for layer in (block.first, block.second):
        layer.strip = 1
    features = _map(1, 8, 13, 6).requires_grad_()
    (expected,) = torch.autograd.grad(block(features).square().sum(), features)
    monkeypatch.setattr(blocks.strips, "convolve", None)
    (gradient,) = torch.autograd.grad(block(features).square().sum(), features)
    assert torch.equal(gradient, expected)
    assert torch.isfinite(gradient).all()
