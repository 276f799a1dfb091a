from pathlib import Path

import pytest
import torch
from torch import nn

from monostep.errors import TrainingError
from monostep.training.average import Average
from monostep.training.learning import Learning

PATH = Path("states/00000001.safetensors")


def _learning(seed=0, *, average=True, kind=torch.optim.AdamW):
    torch.manual_seed(seed)
    module = nn.Sequential(
        nn.Linear(3, 2), nn.Conv2d(4, 4, 3).to(memory_format=torch.channels_last)
    )
    module[0].bias.requires_grad_(False)  # noqa: FBT003
    learning = [p for p in module.parameters() if p.requires_grad]
    others = {"average": Average(module, 0.5)} if average else {}
    return Learning(trained=module, optimiser=kind(learning, lr=0.1), others=others)


def _step(learning, number=0):
    learning.optimiser.zero_grad()
    out = learning.trained[0](torch.ones(1, 3)).sum() + learning.trained[1].weight.square().sum()
    out.backward()
    learning.optimiser.step()
    for average in learning.others.values():
        average.update(number)


def _same(ours, theirs):
    assert ours.tensors().keys() == theirs.tensors().keys()
    for name, tensor in ours.tensors().items():
        assert torch.equal(tensor, theirs.tensors()[name]), name


def test_what_was_put_back_goes_on_bit_for_bit():
    ours, theirs = _learning(), _learning(1)
    _step(ours)
    theirs.put_back({name: tensor.clone() for name, tensor in ours.tensors().items()}, PATH)
    _same(ours, theirs)
    _step(ours, 1)
    _step(theirs, 1)
    _same(ours, theirs)


def test_only_what_learns_is_kept_with_its_moments():
    learning = _learning()
    names = ("0.weight", "1.weight", "1.bias")
    assert set(learning.tensors()) == {f"{k}/{n}" for k in ("weight", "average") for n in names}
    _step(learning)
    assert {"exp_avg/0.weight", "exp_avg_sq/1.weight", "step/0.weight"} <= set(learning.tensors())
    assert not any("0.bias" in name for name in learning.tensors())


def test_what_comes_from_a_file_takes_the_layout_of_the_weights():
    ours, theirs = _learning(), _learning(1)
    _step(ours)
    theirs.put_back({name: t.contiguous() for name, t in ours.tensors().items()}, PATH)
    weight = theirs.trained[1].weight
    moment = theirs.optimiser.state[weight]["exp_avg"]
    assert weight.stride() == moment.stride() == ours.trained[1].weight.stride()
    assert not moment.is_contiguous()


def test_other_weights_are_refused_and_the_file_named():
    ours, theirs = _learning(), _learning(1)
    theirs.trained[0].bias.requires_grad_(True)  # noqa: FBT003
    with pytest.raises(TrainingError, match=r"00000001.*3 tensors, expected 4"):
        theirs.put_back(ours.tensors(), PATH)


class EightBit(torch.optim.Optimizer):
    """Keeps what 8-bit Adam keeps: whole numbers, codes, and tables of another shape."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, {"lr": lr})

    def step(self):
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                state["step"] = state.get("step", 0) + 1
                state["state1"] = torch.full_like(parameter, state["step"], dtype=torch.uint8)
                state["qmap1"] = torch.arange(256.0)
                with torch.no_grad():
                    parameter.sub_(state["state1"] * group["lr"] + state["qmap1"][1])


def test_moments_in_eight_bits_come_back_as_they_were():
    ours, theirs = _learning(kind=EightBit), _learning(1, kind=EightBit)
    _step(ours)
    theirs.put_back(ours.tensors(), PATH)
    state = theirs.optimiser.state[theirs.trained[0].weight]
    assert type(state["step"]) is int
    assert state["state1"].dtype == torch.uint8
    _step(ours, 1)
    _step(theirs, 1)
    _same(ours, theirs)


def test_no_two_tensors_share_memory_as_files_must_have_it():
    learning = _learning(kind=EightBit)
    _step(learning)
    book = torch.arange(4.0)
    for state in learning.optimiser.state.values():
        state["qmap1"] = book
    places = [t.data_ptr() for name, t in learning.tensors().items() if name.startswith("qmap1/")]
    assert len(places) > 1
    assert len(set(places)) == len(places)
