import itertools

import pytest
import torch

from monostep.errors import SettingError
from monostep.geometry import frames

NAMES = list(frames.SIGNS)
POINTING = torch.tensor([0.1, 0.2, 0.3]).reshape(3, 1, 1)  # right, down, into the scene
TABLE = {
    "opencv": [0.1, 0.2, 0.3],
    "opengl": [0.1, -0.2, -0.3],
    "directx": [0.1, 0.2, -0.3],
    "dsine": [-0.1, -0.2, -0.3],
}


def test_the_four_frames_have_names():
    assert set(TABLE) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_from_opencv_the_signs_are_those_of_the_table(name):
    converted = frames.convert(POINTING, source="opencv", target=name)
    torch.testing.assert_close(converted.flatten(), torch.tensor(TABLE[name]), rtol=0, atol=0)


@pytest.mark.parametrize(("a", "b"), list(itertools.product(NAMES, NAMES)))
def test_there_and_back_is_nothing_and_so_is_twice(a, b):
    vectors = torch.randn(2, 3, 4, 5)
    there = frames.convert(vectors, source=a, target=b)
    for back in ((b, a), (a, b)):
        again = frames.convert(there, source=back[0], target=back[1])
        torch.testing.assert_close(again, vectors, rtol=0, atol=0)


@pytest.mark.parametrize(("a", "b", "c"), list(itertools.product(NAMES, NAMES, NAMES)))
def test_the_way_over_a_third_frame_is_the_direct_way(a, b, c):
    vectors = torch.randn(3, 2, 2)
    over = frames.convert(frames.convert(vectors, source=a, target=b), source=b, target=c)
    torch.testing.assert_close(over, frames.convert(vectors, source=a, target=c), rtol=0, atol=0)


def test_a_surface_that_faces_the_camera_does_so_in_every_frame():
    facing = torch.tensor([0.0, 0.0, -1.0]).reshape(3, 1, 1)
    towards = {"opencv": -1, "opengl": 1, "directx": 1, "dsine": 1}
    for name, sign in towards.items():
        assert frames.convert(facing, source="opencv", target=name)[2].item() == sign


@pytest.mark.parametrize("name", ["OpenGL", "", "blender"])
def test_an_unknown_frame_is_refused_with_the_known_ones(name):
    with pytest.raises(SettingError, match="opencv, opengl, directx, dsine"):
        frames.check(name)
    with pytest.raises(SettingError, match="choose"):
        frames.convert(POINTING, source="opencv", target=name)
