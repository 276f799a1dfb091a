"""What holds for every test."""

import gc

import checked_once
import pytest
import torch

torch.set_num_threads(1)
checked_once.install()
gc.disable()  # while millions of objects are imported to stay


def pytest_collection_finish():
    """What was imported is not looked through again for garbage."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory):
    """What the package remembers between runs stays out of the user's own cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield
