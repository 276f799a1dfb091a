import numpy as np
import pytest
import torch

from monostep.geometry import reference


def _twice(vectors):
    """As for a single member: after decoding, and after what would be the ensemble."""
    return reference.shorten(reference.shorten(vectors))


def _decoded():
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.randn(2, 3, 8, 9, generator=generator)


@pytest.mark.parametrize(("scale", "shift"), [(0.2, 0.3), (5.0, -1.0), (1e-4, 0.0)])
def test_min_max_forgets_scale_and_shift(scale, shift):
    depth = torch.rand(8, 9, generator=torch.Generator().manual_seed(0))
    stretched = reference.min_max(depth)
    assert stretched.min() == 0
    assert stretched.max() == 1
    torch.testing.assert_close(
        reference.min_max(scale * depth + shift), stretched, rtol=0, atol=1e-5
    )
    torch.testing.assert_close(reference.min_max(stretched), stretched, rtol=0, atol=0)


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_min_max_of_a_constant_is_zero(level):
    assert not reference.min_max(torch.full((8, 9), level)).any()


# normals


def test_normals_keep_their_direction_and_are_a_hair_too_short():
    decoded = _decoded()
    normals = _twice(decoded)
    length = torch.linalg.vector_norm(normals, dim=1)
    assert (length < 1).all()
    direction = normals / length[:, None]
    expected = decoded / torch.linalg.vector_norm(decoded, dim=1, keepdim=True)
    torch.testing.assert_close(direction, expected, rtol=0, atol=1e-6)
    unit = _twice(expected)
    assert torch.linalg.vector_norm(unit, dim=1).numpy() == pytest.approx(0.99999, abs=1e-6)


def test_normals_are_the_published_formula_in_double_precision():
    vectors = _decoded().double().numpy()
    for _ in range(2):
        vectors = vectors / (np.sqrt((vectors**2).sum(axis=1, keepdims=True)) + 1e-5)
    np.testing.assert_allclose(_twice(_decoded()), vectors, rtol=0, atol=1e-6)


def test_components_out_of_range_are_not_clipped_first():
    decoded = torch.tensor([3.0, 0.0, 4.0])[None, :, None, None]
    normals = _twice(decoded).flatten()
    torch.testing.assert_close(normals, torch.tensor([0.6, 0.0, 0.8]), rtol=0, atol=2e-5)


def test_the_zero_vector_stays_zero():
    assert not reference.shorten(torch.zeros(1, 3, 2, 2)).any()
