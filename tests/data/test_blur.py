import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from monostep.data import blur


@pytest.fixture
def image():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(3, 20, 30, generator=generator, dtype=torch.float64)


# laws


CHANGES = [lambda x: blur.focused(x, 1.7), lambda x: blur.shaken(x, 7, 30)]


@pytest.mark.parametrize("change", CHANGES)
def test_a_blur_keeps_constants_and_is_linear_and_smooths(image, change):
    torch.testing.assert_close(change(torch.full_like(image, 0.3)), torch.full_like(image, 0.3))
    torch.testing.assert_close(change(2 * image + 1), 2 * change(image) + 1)
    assert change(image).shape == image.shape
    assert change(image).std() < 0.7 * image.std()


def test_none_is_none(image):
    assert torch.equal(blur.focused(image, 0.0), image)
    assert torch.equal(blur.shaken(image, 1.0, 70.0), image)


@pytest.mark.parametrize("angle", [0.0, 20.0, 45.0, 133.0])
@pytest.mark.parametrize("length", [1.6, 3.0, 6.9, 11.0])
def test_a_line_is_symmetric_and_sums_to_1(length, angle):
    kernel = blur.line(length, angle)
    assert kernel.shape[0] == kernel.shape[1]
    assert kernel.shape[0] % 2 == 1
    assert kernel.sum().item() == pytest.approx(1)
    torch.testing.assert_close(kernel, kernel.flip(0, 1))  # half a turn
    torch.testing.assert_close(kernel, blur.line(length, angle + 180))
    torch.testing.assert_close(kernel.rot90(), blur.line(length, angle + 90))


def test_mirrored_images_are_blurred_alike_by_mirrored_lines(image):
    torch.testing.assert_close(
        blur.shaken(image.flip(2), 7, 30), blur.shaken(image, 7, 150).flip(2)
    )
    torch.testing.assert_close(blur.focused(image.flip(2), 2), blur.focused(image, 2).flip(2))


# agreement


def test_lines_along_the_axes_by_hand():
    across = blur.line(5, 0)
    assert across[[0, 1, 3, 4]].abs().max() == 0
    assert across[2].min() > 0.1
    diagonal = blur.line(5, 45)  # up and to the right
    assert diagonal[0, 4] < diagonal[1, 3] > 0.1
    assert diagonal[0, 0] == 0


@pytest.mark.parametrize("deviation", [0.6, 1.0, 3.3])
def test_the_gaussian_is_scipys(image, deviation):
    expected = image.numpy()
    for axis in (1, 2):
        radius = int(np.ceil(4 * deviation))
        expected = gaussian_filter1d(expected, deviation, axis, mode="nearest", radius=radius)
    np.testing.assert_allclose(blur.focused(image, deviation), expected, atol=1e-12)


def test_a_line_of_three_to_the_right_is_a_mean_of_neighbours(image):
    kernel = blur.line(3, 0)[1]
    expected = sum(kernel[k] * image[:, :, k : k + 28] for k in range(3))
    torch.testing.assert_close(blur.shaken(image, 3, 0)[:, :, 1:-1], expected)
