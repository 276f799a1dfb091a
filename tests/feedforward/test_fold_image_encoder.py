"""The folded image encoder and what it tells the UNet, in float64: equal but for rounding."""

import copy
from dataclasses import replace

import joint_models
import pytest
import torch
from shaken_models import SMALL_UNET

from monostep.feedforward.fold_image_encoder import image_encoder
from monostep.feedforward.image_encoder import ImageEncoder
from monostep.network.attention import SpatialTransformer
from monostep.network.image_encoder import ImageEncoder as Plain
from monostep.network.sizes import TINY_IMAGE_ENCODER


def _model(activation="quick_gelu"):
    model = joint_models.model(unet=replace(SMALL_UNET, classes=10, joint=True))
    if activation != "quick_gelu":
        encoder = Plain(replace(TINY_IMAGE_ENCODER, activation=activation))
        encoder.load_state_dict(model.image_encoder.state_dict())
        model.image_encoder = encoder
    return model.double()


def _folded(model):
    used = copy.deepcopy(model)
    named = dict(image_encoder(used.image_encoder, used.unet))
    network = ImageEncoder(used.image_encoder.config, told=len(named["told.bias"])).double()
    network.load_state_dict({name: tensor.double() for name, tensor in named.items()})
    return network.eval(), used


def _read(unet, vector):
    """What all transformers read of one token, in the order of the way."""
    stages = [*unet.down_blocks, unet.mid_block, *unet.up_blocks]
    blocks = [
        module.transformer_blocks[0].attn2
        for stage in stages
        for module in stage.modules()
        if isinstance(module, SpatialTransformer)
    ]
    return torch.cat(
        [each(torch.randn(1, 1, each.to_q.in_features).double(), vector) for each in blocks], 2
    )


@pytest.mark.parametrize("activation", ["quick_gelu", "gelu"])
def test_it_tells_what_every_transformer_reads(activation):
    model = _model(activation)
    network, _ = _folded(model)
    side = model.side
    for picture in (torch.rand(1, 3, side, side), torch.rand(1, 3, side, side) * 1.2 - 0.1):
        with torch.no_grad():
            expected = _read(model.unet, model.image_encoder(picture.double())[:, None])[:, 0]
            told = network(picture.double())
        assert expected.std() > 0.02, "two constants would agree for nothing"
        torch.testing.assert_close(told, expected, rtol=0, atol=1e-10)


def test_the_vector_is_that_of_the_encoder():
    model = _model()
    network, _ = _folded(model)
    heard = []
    network.told.register_forward_pre_hook(lambda _, inputs: heard.append(inputs[0]))
    picture = torch.rand(2, 3, model.side, model.side).double()
    with torch.no_grad():
        network(picture)
        torch.testing.assert_close(heard[0], model.image_encoder(picture), rtol=0, atol=1e-10)


def test_the_colours_are_in_the_weights():
    config = replace(TINY_IMAGE_ENCODER, mean=(0.2, 0.5, 0.9), std=(0.1, 0.3, 2.0))
    model = _model()
    plain = Plain(config).double()
    plain.load_state_dict(model.image_encoder.state_dict())
    model.image_encoder = plain
    network, _ = _folded(model)
    picture = torch.rand(1, 3, model.side, model.side).double()
    with torch.no_grad():
        expected = _read(model.unet, plain(picture)[:, None])[:, 0]
        torch.testing.assert_close(network(picture), expected, rtol=0, atol=1e-10)


def test_the_source_is_used_up_but_for_norms():
    _, used = _folded(_model())
    left = [name for name, _ in used.image_encoder.named_parameters()]
    assert left
    assert all("layer_norm" in name or "layernorm" in name for name in left)
