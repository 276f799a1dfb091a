"""The folded UNet against the one with clock and prompt, in float64: equal but for rounding."""

import copy
from dataclasses import replace

import joint_models
import pytest
import shaken_models
import torch
from shaken_models import SMALL_UNET
from torch import nn
from torch.nn import functional as F

from monostep.feedforward import fold_image_encoder, fold_unet
from monostep.feedforward.unet import UNet, widths
from monostep.network.attention import timestep_embedding
from monostep.network.blocks import ResidualBlock
from monostep.network.sizes import TINY_UNET

TIMES = (999, 500, 1)


def _folded(source, prompt, *, latent=4, gain=1.0):
    """The folded UNet and its table of times; the source is copied first."""
    used = copy.deepcopy(source)
    table = fold_unet.time_table(used, TIMES)
    noisy = source.config.in_channels - latent
    network = UNet(source.config, latent=latent, noisy=noisy, tokens=len(prompt)).double()
    named = dict(fold_unet.unet(used, prompt, latent=latent, gain=gain))
    network.load_state_dict({name: tensor.double() for name, tensor in named.items()})
    return network.eval(), table


def _source(*, inputs=8, tokens=2, unet=TINY_UNET):
    model = shaken_models.model("tiny", inputs=inputs, tokens=tokens, unet=unet).double()
    return model.unet, model.prompt


def _said(source, prompt, image, noisy, time):
    seen = image if noisy is None else torch.cat([image, noisy], dim=1)
    batch = len(image)
    with torch.no_grad():
        return source(seen, torch.full((batch,), time), prompt.expand(batch, -1, -1))


# Latents of pictures of 64x64, 64x88, 72x120, whose skips have 2n-1 rows and columns, and smaller.
SIZES = [(8, 8), (8, 11), (9, 15), (1, 1), (3, 2)]


@pytest.mark.parametrize(
    ("unet", "inputs", "tokens"),
    [(TINY_UNET, 8, 2), *((SMALL_UNET, *one) for one in [(8, 1), (8, 2), (8, 3), (8, 77), (4, 2)])],
    ids=["tiny", "1 token", "2 tokens", "3 tokens", "77 tokens", "4 channels"],
)
def test_folded_says_what_the_unet_says(unet, inputs, tokens):
    source, prompt = _source(inputs=inputs, tokens=tokens, unet=unet)
    network, table = _folded(source, prompt)
    times = dict(zip(TIMES, table, strict=True))
    for time, size in [(500, SIZES[0]), (1, SIZES[1]), *((999, size) for size in SIZES)]:
        image, noise = torch.randn(2, 2, 4, *size, dtype=torch.float64)
        noisy = noise if inputs == 8 else None
        expected = _said(source, prompt, image, noisy, time)
        assert expected.std() > 0.02, "two constants would agree for nothing"
        with torch.no_grad():
            said = network(image, noisy, times[time])
        torch.testing.assert_close(said, expected, rtol=0, atol=1e-10)


def test_the_time_makes_a_difference():
    source, prompt = _source()
    network, table = _folded(source, prompt)
    image, noisy = torch.randn(2, 1, 4, 8, 8, dtype=torch.float64)
    with torch.no_grad():
        first, second = (network(image, noisy, row) for row in table[:2])
    assert (first - second).abs().max() > 1e-3


def test_a_gain_multiplies_what_it_says():
    source, prompt = _source(unet=SMALL_UNET)
    network, table = _folded(source, prompt)
    louder, _ = _folded(source, prompt, gain=-0.37)
    image, noisy = torch.randn(2, 1, 4, 4, 4, dtype=torch.float64)
    with torch.no_grad():
        said, scaled = (each(image, noisy, table[0]) for each in (network, louder))
    torch.testing.assert_close(scaled, -0.37 * said)


def test_the_input_is_the_images_half_and_the_noises():
    source, prompt = _source(unet=SMALL_UNET)
    network, table = _folded(source, prompt)
    with torch.no_grad():
        for half in (network.image, network.noise):
            kept = half.weight.clone()
            half.weight.zero_()
            image, noisy = torch.randn(2, 1, 4, 4, 4, dtype=torch.float64)
            quiet = torch.zeros_like(image)
            seen = (quiet, noisy) if half is network.image else (image, quiet)
            torch.testing.assert_close(
                network(image, noisy, table[0]), network(*seen, table[0]), rtol=0, atol=0
            )
            half.weight.copy_(kept)


def test_the_table_has_a_row_for_each_time_and_a_number_for_each_blocks_channel():
    source, _ = _source()
    table = fold_unet.time_table(source, TIMES)
    network = UNet(TINY_UNET, latent=4, noisy=4, tokens=2)
    assert table.dtype == torch.float64
    assert table.shape == (3, sum(widths(network)))
    torch.testing.assert_close(fold_unet.time_table(source, TIMES[1:2])[0], table[1])


CLASSES = {10: replace(SMALL_UNET, classes=10, joint=True)}
CLASSES[4] = replace(CLASSES[10], classes=4)


@pytest.mark.parametrize("classes", CLASSES)
def test_the_table_hears_time_and_class(classes):
    source = joint_models.model(words=classes == 4, unet=CLASSES[classes]).unet.double()
    table = fold_unet.time_table(source, TIMES)
    assert table.shape == (3, 3 if classes == 10 else 1, 2, sum(widths(_joint(source, 4))))
    half = {"depth": [0.0, 1.0], "normals": [1.0, 0.0]}
    blocks = [each for each in source.modules() if isinstance(each, ResidualBlock)]
    for time, kind, domain in [(0, "depth", 0), (2, "normals", 0), (1, "normals", 2)]:
        if classes == 4 and domain:
            continue
        numbers = [torch.tensor(half[kind]), torch.eye(3)[domain]][: 2 if classes == 10 else 1]
        said = torch.cat([wave(part) for part in numbers for wave in (torch.sin, torch.cos)])
        sinusoids = timestep_embedding(torch.tensor([float(TIMES[time])]), 16)
        with torch.no_grad():
            embedded = source.time_embedding(sinusoids.double())
            embedded = F.silu(embedded + source.class_embedding(said.double()[None]))
            heard = [each.time_emb_proj(embedded)[0] + each.conv1.bias for each in blocks]
        row = table[time, domain, list(half).index(kind)]
        torch.testing.assert_close(row, torch.cat(heard), rtol=0, atol=1e-12)


def _joint(source, tokens):
    return UNet(source.config, latent=4, noisy=4, tokens=tokens).double()


@pytest.mark.parametrize("attention", ["joint", "separate"])
@pytest.mark.parametrize("words", [False, True], ids=["a picture", "words"])
def test_a_folded_joint_unet_says_what_the_unet_says(words, attention):
    unet = replace(CLASSES[4 if words else 10], joint=attention == "joint")
    model = joint_models.model(words=words, unet=unet).double()
    used, domain = copy.deepcopy(model), torch.tensor([2, 0, 1])
    table = fold_unet.time_table(used.unet, TIMES)
    network = _joint(model.unet, model.prompt_tokens if words else 0).eval()
    told, context = domain, model.prompt[domain] if words else torch.randn(3, 1, 16).double()
    if not words:  # the vectors of an image encoder that does nothing
        named = dict(fold_image_encoder.image_encoder(used.image_encoder, used.unet))
        told = F.linear(context[:, 0], named["told.weight"], named["told.bias"])
    prompt = model.prompt if words else None
    named = fold_unet.unet(used.unet, prompt, latent=4, gain=1.0)
    network.load_state_dict({name: tensor.double() for name, tensor in named})
    for index, size in enumerate([(8, 8), (9, 15), (1, 1)]):
        image, noisy = torch.randn(3, 4, *size).double(), torch.randn(6, 4, *size).double()
        rows = table[index].expand(3, -1, -1, -1) if words else table[index][domain]
        rows = rows[:, 0] if words else rows
        with torch.no_grad():
            expected = model.output(image, noisy, TIMES[index], context=context, domain=domain)
            by_image = noisy.unflatten(0, (2, 3)).transpose(0, 1).flatten(0, 1)
            said = network(image, by_image, rows.flatten(0, 1), told)
        assert expected.std() > 0.02, "two constants would agree for nothing"
        said = said.unflatten(0, (3, 2)).transpose(0, 1).flatten(0, 1)
        torch.testing.assert_close(said, expected, rtol=0, atol=1e-10)


def test_what_is_taken_is_gone():
    layer = nn.Linear(3, 2)
    weight = layer.weight
    assert torch.equal(fold_unet.take(layer, "weight"), weight)
    assert layer.weight is None
    assert layer.bias is not None
