import pytest
import torch

from monostep.export.graph import ImageToMaps
from monostep.export.trace import ContiguousNorms, trace

# Latents of 9x12, 12x9, 12x12 and 1x1: the level below has 2n - 1 rows or columns, or 2n.
SIZES = [(1, 18, 24), (3, 43, 31), (2, 24, 24), (1, 1, 1), (4, 90, 40), (1, 7, 200)]


def _assert_same(program, eager, noise, assert_close):
    traced = program.module()
    for size in SIZES:
        images = torch.from_numpy(noise(*size))
        with torch.no_grad():
            assert_close(traced(images), eager(images), size)


def test_group_norms_see_contiguous_maps_and_say_the_same():
    norm = torch.nn.GroupNorm(2, 4)
    features = torch.randn(1, 4, 5, 3).contiguous(memory_format=torch.channels_last)
    expected = norm(features)
    with ContiguousNorms():
        said = norm(features)
    assert said.is_contiguous()
    assert not expected.is_contiguous()
    torch.testing.assert_close(said, expected)


@pytest.mark.slow  # by default test_onnx_file.py proves it, of what was translated from the trace
def test_one_trace_is_the_graph_for_any_batch_height_and_width(program, micro, noise, assert_close):
    predictor = micro("depth")
    _assert_same(program, ImageToMaps(predictor, predictor.inference()), noise, assert_close)


@pytest.mark.slow
@pytest.mark.usefixtures("untyped")
def test_also_with_norms_four_channels_and_the_images_own_size(micro, noise, assert_close):
    predictor = micro("diffusion-normals", kl=True, inputs=4)
    asked = dict(steps=1, noise="zeros", resolution=0)
    how = predictor.inference(**asked)
    predictor(noise(40, 40), **asked)  # leaves packed weights behind
    _assert_same(trace(predictor, how), ImageToMaps(predictor, how), noise, assert_close)
