import pickle

import pytest
import torch
from torch import nn

from monostep.checkpoints import weights
from monostep.errors import CheckpointError

LAYER = {"weight": torch.randn(2, 3), "bias": torch.randn(2)}


def saved(path, tensors):
    if path.suffix == ".bin":
        torch.save(tensors, path)
    else:
        weights.write(path, tensors)
    return path


@pytest.fixture(params=["w.safetensors", "w.bin"])
def path(request, tmp_path):
    return saved(tmp_path / request.param, LAYER)


def test_weights_survive_the_file(path):
    module = nn.Linear(3, 2)
    weights.fill(module, [path])
    for name, tensor in LAYER.items():
        assert torch.equal(module.state_dict()[name], tensor)
    assert all(parameter.requires_grad for parameter in module.parameters())


def test_stored_tensors_come_back_as_they_are(tmp_path):
    half = {name: tensor.half() for name, tensor in LAYER.items()}
    again = weights.read(saved(tmp_path / "w.safetensors", half))
    assert again.keys() == half.keys()
    assert all(torch.equal(again[name], half[name]) for name in half)


def test_half_precision_and_the_meta_device_end_in_float32(tmp_path):
    half = {name: tensor.half() for name, tensor in LAYER.items()}
    with torch.device("meta"):
        module = nn.Linear(3, 2)
    for name in ("w.safetensors", "w.bin"):
        weights.fill(module, [saved(tmp_path / name, half)])
        assert module.weight.dtype == torch.float32
        assert torch.equal(module.weight, half["weight"].float())


def test_what_was_filled_does_not_hang_on_the_file(tmp_path):
    path = saved(tmp_path / "w.safetensors", LAYER)
    module = nn.Linear(3, 2)
    weights.fill(module, [path])
    path.write_bytes(bytes(path.stat().st_size))
    assert torch.equal(module.weight, LAYER["weight"])


def test_parts_are_put_together(tmp_path):
    files = [
        saved(tmp_path / "w-00001-of-00002.safetensors", {"bias": LAYER["bias"]}),
        saved(tmp_path / "w-00002-of-00002.bin", {"weight": LAYER["weight"]}),
    ]
    module = nn.Linear(3, 2)
    weights.fill(module, files)
    assert torch.equal(module.weight, LAYER["weight"])
    with pytest.raises(CheckpointError, match=r"1 weights missing \(first: weight\)"):
        weights.fill(nn.Linear(3, 2), files[:1])


def test_a_missing_or_cut_file_is_named(path):
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CheckpointError, match=rf"{path.name}: not a whole .* file"):
        weights.fill(nn.Linear(3, 2), [path])
    path.write_bytes(b"")
    with pytest.raises(CheckpointError, match=rf"{path.name}: not a whole .* file"):
        weights.fill(nn.Linear(3, 2), [path])
    path.unlink()
    with pytest.raises(CheckpointError, match="no such file"):
        weights.fill(nn.Linear(3, 2), [path])


def test_a_file_that_holds_more_than_tensors_is_not_unpickled(tmp_path):
    done = tmp_path / "done"

    class Trap:
        def __reduce__(self):
            return (done.write_text, ("run",))

    path = tmp_path / "w.bin"
    torch.save({"weight": Trap()}, path)
    with pytest.raises(CheckpointError, match=r"w\.bin: holds more than tensors"):
        weights.fill(nn.Linear(3, 2), [path])
    path.write_bytes(pickle.dumps({"weight": Trap()}, protocol=2))
    with pytest.raises(CheckpointError, match=r"w\.bin"):
        weights.fill(nn.Linear(3, 2), [path])
    assert not done.exists()
    torch.save([1, 2], path)
    with pytest.raises(CheckpointError, match="not a mapping of names to tensors"):
        weights.fill(nn.Linear(3, 2), [path])


def test_a_pointer_instead_of_the_weights_says_so(path):
    path.write_bytes(weights.POINTER + b"/spec/v1\noid sha256:0\nsize 3463726504\n")
    for attempt in (lambda: weights.fill(nn.Linear(3, 2), [path]), lambda: weights.read(path)):
        with pytest.raises(CheckpointError, match=f"{path.name}: a git-lfs pointer.*git lfs pull"):
            attempt()


def test_what_older_files_hold_for_nothing_is_left(path):
    saved(path, {**LAYER, "numbers": torch.arange(3)})
    layer = nn.Linear(3, 2)
    weights.fill(layer, [path], unused=("numbers", "others"))
    assert torch.equal(layer.weight, LAYER["weight"])
    with pytest.raises(CheckpointError, match=r"1 unknown \(first: numbers\)"):
        weights.fill(layer, [path])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bias": None}, r"1 weights missing \(first: bias\)"),
        ({"more": torch.zeros(1)}, r"1 unknown \(first: more\)"),
        ({"weight": torch.zeros(2, 4)}, r"weight has shape \(2, 4\), expected \(2, 3\)"),
        ({"weight": torch.full((2, 3), float("nan"))}, "weight is not finite"),
        ({"bias": torch.full((2,), float("inf"))}, "bias is not finite"),
    ],
)
def test_odd_weights_are_refused_by_file_and_name(path, change, message):
    tensors = {name: tensor for name, tensor in {**LAYER, **change}.items() if tensor is not None}
    with pytest.raises(CheckpointError, match=f"{path.name}: .*{message}"):
        weights.fill(nn.Linear(3, 2), [saved(path, tensors)])


def test_a_file_that_is_no_safetensors_is_not_read(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_text("not weights at all")
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        weights.read(path)
