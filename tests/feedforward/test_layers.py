import pytest
import torch
from torch import nn
from torch.nn import functional as F

from monostep.feedforward import layers, stream
from monostep.feedforward.layers import Conv, Dense


def _random(layer, dtype=torch.float32):
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    return layer.to(dtype)


CONVS = {
    "3x3": dict(size=3),
    "1x1": dict(size=1),
    "stride 2": dict(size=3, stride=2),
    "no bias": dict(size=3, bias=False),
}


@pytest.mark.parametrize("padding", [None, (0, 1), (0, 0)], ids=["half", "columns", "none"])
@pytest.mark.parametrize("given", [False, True], ids=["own bias", "given bias"])
@pytest.mark.parametrize("kind", CONVS)
@pytest.mark.parametrize("channels", [(16, 32), (3, 5)])
def test_a_packed_convolution_is_the_same_to_the_last_bit(channels, kind, given, padding):
    layer = _random(Conv(*channels, **CONVS[kind]))
    features = torch.randn(2, channels[0], 9, 12).contiguous(memory_format=torch.channels_last)
    bias = torch.randn(channels[1]) if given else None
    asked = dict(bias=bias, padding=padding)
    with torch.no_grad():
        plain = layer(features, **asked)
    with torch.inference_mode():
        packed, again = layer(features, **asked), layer(features, **asked)
    assert layer.weight is None
    assert torch.equal(again, packed)
    if kind == "1x1":  # another kernel, which sums in another order
        torch.testing.assert_close(packed, plain, rtol=1e-6, atol=1e-6)
    else:
        assert torch.equal(packed, plain)


@pytest.mark.parametrize(("large", "packings"), [(layers.LARGE, 3), (1, 1)])
def test_a_map_of_another_size_packs_anew_unless_the_weight_is_large(monkeypatch, large, packings):
    monkeypatch.setattr(layers, "LARGE", large)
    layer, reorder, packed_for = _random(Conv(16, 48, 3)), Conv._reorder, []
    monkeypatch.setattr(
        Conv, "_reorder", lambda *given: packed_for.append(given[-1].shape) or reorder(*given)
    )
    sizes = [(3, 4), (4, 3), (24, 32), (24, 32), (6, 2)]
    maps = [torch.randn(1, *size, 16).permute(0, 3, 1, 2) for size in sizes]
    with torch.no_grad():
        plain = [layer(features) for features in maps]
    with torch.inference_mode():
        for features, expected in zip(maps, plain, strict=True):
            assert torch.equal(layer(features), expected)
    assert len(packed_for) == packings
    assert layer.weight is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("widths", [(64, 96), (5, 3)])
def test_a_packed_product_is_the_same_but_for_rounding(widths, bias, dtype):
    layer = _random(Dense(*widths, bias=bias), dtype)
    tokens = torch.randn(2, 7, widths[0]).to(dtype)
    with torch.no_grad():
        plain = layer(tokens)
    with torch.inference_mode():
        packed = layer(tokens)
    assert layer.weight is None
    torch.testing.assert_close(packed, plain)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: Conv(8, 16, 3), (1, 8, 5, 5)),
        (lambda: Conv(7, 3, 3, stride=2), (1, 7, 6, 5)),
        (lambda: Conv(8, 16, 1), (1, 8, 5, 5)),
        (lambda: Dense(24, 7), (1, 3, 24)),
    ],
    ids=["3x3", "odd", "1x1", "product"],
)
def test_unpacking_gives_the_weight_back_bit_for_bit(make, shape, dtype):
    layer = _random(make(), dtype)
    before = layer.weight.detach().clone()
    with torch.inference_mode():
        layer(torch.randn(shape).to(dtype))
    assert layer.dtype == dtype
    assert layer.weight is None
    assert torch.equal(layer.plain(), before)
    layer.unpack()
    assert isinstance(layer.weight, nn.Parameter)
    assert torch.equal(layer.weight, before)
    assert not layer.weight.is_inference()
    layer(torch.randn(shape).to(dtype)).sum().backward()  # and it learns again
    assert torch.isfinite(layer.weight.grad).all()


def test_only_inference_packs():
    layer = _random(Conv(4, 4, 3))
    features = torch.randn(1, 4, 5, 5)
    layer(features)
    with torch.no_grad():
        layer(features)
        assert not stream.is_free()
    assert isinstance(layer.weight, nn.Parameter)
    with torch.inference_mode():
        assert stream.is_free()
        layer(features)
    assert layer.weight is None


def test_other_precisions_stay_as_they_are():
    layer = _random(Conv(4, 4, 3), torch.float64)
    with torch.inference_mode():
        layer(torch.randn(1, 4, 5, 5).double())
    assert isinstance(layer.weight, nn.Parameter)


@pytest.mark.parametrize("padding", [None, (0, 1)])
def test_the_gradient_goes_through_a_packed_convolution(padding):
    layer = _random(Conv(4, 6, 3))
    image = torch.randn(1, 4, 5, 5, requires_grad=True)
    (expected,) = torch.autograd.grad(layer(image, padding=padding).square().sum(), image)
    with torch.inference_mode():
        layer(image.detach())
    assert layer.weight is None
    (gradient,) = torch.autograd.grad(layer(image, padding=padding).square().sum(), image)
    assert torch.equal(gradient, expected)


def test_eight_bits_times_a_scale_are_the_weight():
    layer = _random(Dense(6, 4))
    whole = torch.randint(-127, 128, (4, 6), dtype=torch.int8)
    layer.weight = nn.Parameter(whole, requires_grad=False)
    layer.scale = torch.rand(4, 1)
    tokens = torch.randn(2, 3, 6)
    assert layer.dtype == torch.float32
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            expected = F.linear(tokens, whole.float() * layer.scale, layer.bias)
            torch.testing.assert_close(layer(tokens), expected)


def test_a_weight_left_in_its_file_is_read_at_each_use():
    layer, reads = Conv(3, 4, 3), []
    weight = torch.randn(4, 3, 3, 3)
    layer.load_state_dict({"weight": weight, "bias": torch.zeros(4)})
    features = torch.randn(1, 3, 5, 6)
    wanted = layer(features)
    layer.leave_in_file(lambda: reads.append(1) or weight)
    with torch.inference_mode():
        torch.testing.assert_close(layer(features), wanted)
        torch.testing.assert_close(layer(features), wanted)
    assert len(reads) == 2 and layer.weight is None and layer.dtype == torch.float32
    layer.unpack()
    torch.testing.assert_close(layer.weight, torch.nn.Parameter(weight))


@pytest.mark.parametrize("inference", [False, True], ids=["plain", "packed"])
def test_a_bias_may_be_each_images_own(inference):
    conv = _random(Conv(4, 6, 3, bias=False))
    features, bias = torch.randn(3, 4, 7, 5), torch.randn(3, 6)
    expected = F.conv2d(features, conv.weight, padding=1).detach() + bias[:, :, None, None]
    with torch.inference_mode(mode=inference):
        torch.testing.assert_close(conv(features, bias), expected)
    bias.requires_grad_()
    (gradient,) = torch.autograd.grad(conv(features, bias).sum(), bias)
    torch.testing.assert_close(gradient, torch.full((3, 6), 35.0))
