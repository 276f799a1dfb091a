import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from monostep.training.moments import carried, give_back


class Bytes(torch.optim.Optimizer):
    """Carries what bitsandbytes does: a whole number, bytes, and one code book for all."""

    book = torch.linspace(-1, 1, 256)

    def __init__(self, parameters):
        super().__init__(parameters, {"lr": 0.1})

    @torch.no_grad()
    def step(self):
        for parameter in self.param_groups[0]["params"]:
            state = self.state[parameter]
            state["step"] = state.get("step", 0) + 1
            state["qmap1"] = self.book
            state["absmax1"] = parameter.grad.abs().max()[None]
            nearest = (parameter.grad / state["absmax1"] + 1) * 127.5
            state["state1"] = nearest.to(torch.uint8)
            parameter -= 0.1 / state["step"] * state["qmap1"][state["state1"].long()]


KINDS = {
    "fused": lambda parameters: torch.optim.AdamW(parameters, lr=0.1, fused=True),
    "plain": lambda parameters: torch.optim.AdamW(parameters, lr=0.1, fused=False),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.1, fused=True),
    "8 bits": Bytes,
}


def _pair(new):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(30, 20), nn.Linear(20, 3))
    return module, new(module.parameters())


def _step(module, optimiser, number):
    optimiser.zero_grad()
    generator = torch.Generator().manual_seed(number)
    module(torch.randn(4, 30, generator=generator)).square().mean().backward()
    optimiser.step()


@pytest.mark.parametrize("kind", KINDS)
def test_through_a_file_the_next_steps_are_the_same_bits(kind, tmp_path):
    module, optimiser = _pair(KINDS[kind])
    for number in range(3):
        _step(module, optimiser, number)
    weights = {name: p.detach().clone() for name, p in module.named_parameters()}
    tensors = {
        f"{moment}/{name}": value
        for name, parameter in module.named_parameters()
        for moment, value in carried(optimiser, parameter).items()
    }
    save_file(tensors, tmp_path / "state")  # refuses tensors that share memory
    other, its_optimiser = _pair(KINDS[kind])
    other.load_state_dict(weights)
    stored = load_file(tmp_path / "state")
    for name, parameter in other.named_parameters():
        own = {key.partition("/")[0]: t for key, t in stored.items() if key.endswith(f"/{name}")}
        give_back(its_optimiser, parameter, own)
    for number in range(3, 6):
        _step(module, optimiser, number)
        _step(other, its_optimiser, number)
    for ours, theirs in zip(module.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_before_the_first_step_there_is_nothing():
    module, optimiser = _pair(KINDS["fused"])
    assert carried(optimiser, module[0].weight) == {}


def test_large_moments_are_not_copied_and_shared_ones_are():
    module, optimiser = _pair(Bytes)
    _step(module, optimiser, 0)
    states = [carried(optimiser, parameter) for parameter in module.parameters()]
    kept = optimiser.state[module[0].weight]["state1"]
    assert states[0]["state1"].data_ptr() == kept.data_ptr()
    books = [state["qmap1"].data_ptr() for state in states]
    assert len({Bytes.book.data_ptr(), *books}) == len(books) + 1


@pytest.mark.parametrize(("fused", "device"), [(True, "meta"), (False, "cpu"), (None, "cpu")])
def test_the_count_lies_where_the_optimiser_wants_it(fused, device):
    parameter = nn.Parameter(torch.zeros(3, device="meta"))
    optimiser = torch.optim.SGD([parameter], lr=0.1)
    optimiser.param_groups[0]["fused"] = fused
    give_back(optimiser, parameter, {"step": torch.tensor(2.0), "exp_avg": torch.zeros(3)})
    state = optimiser.state[parameter]
    assert state["step"].device.type == device
    assert state["exp_avg"].device.type == "meta"


def test_a_count_in_whole_numbers_stays_one():
    module, optimiser = _pair(Bytes)
    _step(module, optimiser, 0)
    parameter = module[0].weight
    found = carried(optimiser, parameter)
    assert all(isinstance(value, Tensor) for value in found.values())
    give_back(optimiser, parameter, found)
    assert type(optimiser.state[parameter]["step"]) is int
