import pytest
import torch

from monostep.geometry import decode


def _decoded(dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.randn(2, 3, 8, 9, generator=generator).to(dtype)


def test_depth_is_the_mean_of_the_channels_within_minus_one_and_one():
    decoded = _decoded()
    depth = decode.depth(decoded)
    torch.testing.assert_close(depth, _mean(decoded))
    assert depth.min() == -1
    assert depth.max() == 1


def _mean(decoded):
    red, green, blue = decoded.double().unbind(dim=1)
    return ((red + green + blue) / 3).clamp(-1, 1).float()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_both_are_float32_whatever_the_network_computes_in(dtype):
    assert decode.depth(_decoded(dtype)).dtype == torch.float32
    assert decode.normals(_decoded(dtype)).dtype == torch.float32


def test_normals_are_unit_vectors_in_the_channels_direction():
    decoded = _decoded()
    normals = decode.normals(decoded)
    torch.testing.assert_close(torch.linalg.vector_norm(normals, dim=1), torch.ones(2, 8, 9))
    along = (normals * decoded).sum(dim=1)
    torch.testing.assert_close(along, torch.linalg.vector_norm(decoded, dim=1))


def test_the_zero_vector_has_a_finite_value_and_gradient():
    decoded = torch.zeros(1, 3, 2, 2, requires_grad=True)
    normals = decode.normals(decoded)
    normals.sum().backward()
    assert decoded.grad is not None
    assert torch.isfinite(decoded.grad).all()
    assert not normals.any()


def test_unit_restores_length_and_faces_the_camera_where_nothing_is_left():
    vectors = 0.01 * _decoded()
    vectors[0, :, 3, 4] = 0
    unit = decode.unit(vectors)
    torch.testing.assert_close(torch.linalg.vector_norm(unit, dim=1), torch.ones(2, 8, 9))
    assert unit[0, :, 3, 4].tolist() == [0, 0, -1]
