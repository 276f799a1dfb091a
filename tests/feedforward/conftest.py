import pytest
import torch


@pytest.fixture(autouse=True)
def _seed():
    """The same random numbers in every run, whatever ran before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
