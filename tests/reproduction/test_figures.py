import numpy as np
import pytest
from PIL import Image

from monostep.reproduction import study
from monostep.reproduction.collected import Collected
from monostep.reproduction.figures import draw


@pytest.mark.slow
def test_deviations_are_drawn_small_and_equal_twice(tmp_path):
    folder = tmp_path / study.RESULTS
    folder.mkdir()
    maps = np.random.default_rng(0).uniform(0, 0.2, (4, 6, 64, 80)).astype(np.float32)
    image = np.zeros((4, 64, 80, 3), np.uint8)
    np.savez(
        folder / "depth-0.deviation.npz",
        image=image,
        steps=np.array([1, 2, 5, 10, 25, 50]),
        trailing=maps,
        leading=maps,
    )
    (first,) = draw(Collected(tmp_path, (0,)), tmp_path / "one")
    (second,) = draw(Collected(tmp_path, (0,)), tmp_path / "two")
    assert first.read_bytes() == second.read_bytes()
    Image.open(first).verify()
