import warnings

import pytest

from monostep.benchmark import joint_plan, random_weights
from monostep.benchmark.cases import Case
from monostep.benchmark.plan import Wishes, plan


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A one-step depth model with random weights."""
    return random_weights.write(tmp_path_factory.mktemp("w") / "d", size="tiny", task="depth")


@pytest.fixture(scope="session")
def normals_folder(tmp_path_factory):
    return random_weights.write(tmp_path_factory.mktemp("w") / "n", size="tiny", task="normals")


@pytest.fixture(scope="session")
def weights(folder):
    return _weights(folder)


@pytest.fixture(scope="session")
def normals_weights(normals_folder):
    return _weights(normals_folder)


@pytest.fixture(scope="session")
def joint_planned(tmp_path_factory):
    """A joint model against two, all tiny."""
    wishes = Wishes(dtypes=("bf16",), device="cpu", threads=1, rounds=2, cold_starts=0)
    cases = [Case(size=(8, 16))]
    return joint_plan.plan(tmp_path_factory.mktemp("w"), "tiny", cases, wishes)


def _weights(folder):
    wishes = Wishes(against=("diffusers",), device="cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # diffusers deprecates at length
        return plan(str(folder), [Case(size=(8, 8))], wishes).weights
