import pytest
import torch
from torch import nn

from monostep.errors import TrainingError
from monostep.training.state import Progress, restore, save


def _pair():
    torch.manual_seed(0)
    module = nn.Linear(3, 2)
    return module, torch.optim.AdamW(module.parameters(), lr=0.1)


def _step(module, optimiser):
    optimiser.zero_grad()
    module(torch.ones(1, 3)).sum().backward()
    optimiser.step()


def test_a_restored_state_continues_bit_for_bit(tmp_path):
    module, optimiser = _pair()
    _step(module, optimiser)
    save(tmp_path / "state", module, optimiser, Progress(step=1, best=0.5))
    _step(module, optimiser)
    other, its_optimiser = _pair()
    assert restore(tmp_path / "state", other, its_optimiser) == Progress(step=1, best=0.5)
    _step(other, its_optimiser)
    for ours, theirs in zip(module.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_state_of_another_network_is_refused(tmp_path):
    module, optimiser = _pair()
    save(tmp_path / "state", module, optimiser, Progress(step=1, best=None))
    other = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
    with pytest.raises(TrainingError, match="other weights"):
        restore(tmp_path / "state", other, torch.optim.AdamW(other.parameters()))


def test_a_broken_state_is_named(tmp_path):
    (tmp_path / "state").write_bytes(b"no tensors")
    with pytest.raises(TrainingError, match="not a readable training state"):
        restore(tmp_path / "state", *_pair())
