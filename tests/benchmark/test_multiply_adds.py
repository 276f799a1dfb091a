"""Counts against the definition, and against torch's own counter where that counts everything."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

import monostep
from monostep.benchmark.cases import Case
from monostep.benchmark.multiply_adds import MultiplyAdds
from monostep.benchmark.own_program import load_unfolded


def _count(work):
    with torch.inference_mode(), MultiplyAdds() as counter:
        work()
    return counter.total


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_attention_on_the_cpu_is_two_products(dtype):
    query, key = (torch.rand(2, 3, tokens, 16).to(dtype) for tokens in (32, 20))
    work = lambda: F.scaled_dot_product_attention(query, key, key)  # noqa: E731
    assert _count(work) == 2 * 3 * 32 * 20 * (16 + 16)


@pytest.mark.parametrize("stride", [1, 2])
def test_convolutions_and_products_with_packed_weights_are_counted_as_with_plain_ones(stride):
    if not torch.backends.mkldnn.is_available():
        pytest.skip("this torch has no oneDNN")
    image, weight = torch.rand(2, 16, 12, 20), torch.rand(32, 16, 3, 3)
    steps, padding = [stride, stride], [1, 1]
    packed = torch.ops.mkldnn._reorder_convolution_weight(weight, padding, steps, [1, 1], 1, None)
    plain = _count(lambda: F.conv2d(image, weight, stride=stride, padding=1))
    assert plain == 2 * 32 * (12 // stride) * (20 // stride) * 16 * 9
    work = lambda: torch.ops.mkldnn._convolution_pointwise(  # noqa: E731
        image, packed, None, padding, steps, [1, 1], 1, "none", [], ""
    )
    assert _count(work) == plain
    tokens, matrix = torch.rand(2, 7, 16), torch.rand(32, 16)
    packed_matrix = torch.ops.mkldnn._reorder_linear_weight(matrix)
    product = lambda: torch.ops.mkldnn._linear_pointwise(  # noqa: E731
        tokens, packed_matrix, None, "none", [], ""
    )
    assert _count(product) == _count(lambda: F.linear(tokens, matrix)) == 2 * 7 * 16 * 32


def test_what_torch_counts_is_counted_alike():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1),
        nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1),
        nn.Flatten(),
        nn.Linear(4 * 16 * 16, 10),
    )
    image = torch.rand(2, 3, 16, 16)
    with FlopCounterMode(display=False) as torchs, torch.no_grad():
        model(image)
    assert _count(lambda: model(image)) == torchs.get_total_flops() // 2 > 0


def test_what_is_not_a_product_is_not_counted():
    assert _count(lambda: torch.rand(4, 4).add(1).softmax(1)) == 0


@pytest.mark.slow
def test_the_folded_network_executes_somewhat_fewer_than_the_unfolded_one(weights):
    """The whole kernel zoo at once: a kernel that is not counted would show here."""
    picture = torch.rand(1, 3, 64, 96)
    predictor = monostep.load(weights.source, device="cpu", dtype="fp32")
    unfolded = load_unfolded(weights, "fp32", torch.device("cpu"))
    case = Case(size=(64, 96))
    predictor(picture, resolution=0)  # weights are packed at the first call
    ours = _count(lambda: predictor(picture, resolution=0))
    theirs = _count(lambda: unfolded.predict(picture, case))
    assert 0.75 * theirs < ours < theirs
