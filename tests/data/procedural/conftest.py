import pytest
import torch

from monostep.data.procedural.look import Look
from monostep.data.procedural.material import Material
from monostep.data.procedural.stage import Pose, Stage


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    """Images are small: threads would spend their time waiting for one another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def grey():
    return Material(base_r=0.5, base_g=0.5, base_b=0.5)


@pytest.fixture
def set_up():
    """From solids and lamps to a scene seen from `height_m` above the origin, along +y."""

    def scene(solids, lamps=(), *, height_m=1.0, look=None, focal=0.8, **turns):
        stage = Stage(kind=0, solids=list(solids), lamps=list(lamps))
        pose = Pose(position_m=(0.0, 0.0, height_m), **({"yaw_rad": 0.0} | turns))
        return stage.scene(pose, focal, look or Look())

    return scene
