import pytest
import torch
from torch import nn

from monostep.checkpoints import weights
from monostep.errors import CheckpointError


def test_weights_survive_the_file(tmp_path):
    module = nn.Linear(3, 2)
    weights.write(tmp_path / "w.safetensors", module.state_dict())
    other = nn.Linear(3, 2)
    weights.put(other, weights.read(tmp_path / "w.safetensors"), tmp_path)
    assert torch.equal(module.weight, other.weight)


def test_a_missing_or_cut_file_is_named(tmp_path):
    path = tmp_path / "w.safetensors"
    with pytest.raises(CheckpointError, match="no such file"):
        weights.read(path)
    weights.write(path, nn.Linear(3, 2).state_dict())
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(CheckpointError, match=r"w\.safetensors: not a whole safetensors file"):
        weights.read(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bias": None}, r"1 weights missing \(first: bias\)"),
        ({"more": torch.zeros(1)}, r"1 unknown \(first: more\)"),
        ({"weight": torch.zeros(2, 4)}, r"weight has shape \(2, 4\), expected \(2, 3\)"),
        ({"weight": torch.full((2, 3), float("nan"))}, "weight is not finite"),
    ],
)
def test_odd_weights_are_refused_by_name(tmp_path, change, message):
    tensors = {**nn.Linear(3, 2).state_dict(), **change}
    tensors = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    with pytest.raises(CheckpointError, match=message):
        weights.put(nn.Linear(3, 2), tensors, tmp_path)
