import pytest
import torch
from torch import nn

from monostep.errors import SettingError, TrainingError
from monostep.training.average import Average, decay_at


def _module():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    module[0].bias.requires_grad_(requires_grad=False)
    return module


def _move(module, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))


@pytest.mark.parametrize(
    ("step", "decay"), [(0, 0.1), (1, 2 / 11), (90, 0.91), (8989, 8990 / 8999), (8990, 0.999)]
)
def test_the_decay_warms_up(step, decay):
    assert decay_at(step, 0.999) == pytest.approx(decay, rel=1e-12)


def test_it_begins_at_the_weights_and_stays_there_if_they_stay():
    module = _module()
    average = Average(module, 0.9)
    for step in range(5):
        average.update(step)
    for name, value in average.state_dict().items():
        torch.testing.assert_close(value, module.get_parameter(name), rtol=1e-6, atol=0)


def test_it_is_the_sum_of_past_weights_by_their_shares():
    module = _module()
    average = Average(module, 0.5)
    expected = module[1].weight.detach().double()
    decays = [1 / 10, 2 / 11, 3 / 12, 4 / 13, 5 / 14, 6 / 15, 7 / 16, 8 / 17, 0.5, 0.5]
    for step, d in enumerate(decays):
        _move(module, step)
        average.update(step)
        expected = d * expected + (1 - d) * module[1].weight.detach().double()
    torch.testing.assert_close(
        average.state_dict()["1.weight"].double(), expected, rtol=1e-5, atol=1e-6
    )


def test_only_what_learns_is_averaged():
    assert Average(_module(), 0.9).state_dict().keys() == {"0.weight", "1.weight", "1.bias"}


def test_swapped_twice_nothing_has_changed():
    module = _module()
    average = Average(module, 0.9)
    _move(module, 1)
    weights = {name: p.detach().clone() for name, p in module.named_parameters()}
    averages = {name: value.clone() for name, value in average.state_dict().items()}
    with pytest.raises(KeyError), average.swap():
        for name, value in averages.items():
            assert torch.equal(module.get_parameter(name), value)
        assert torch.equal(module[0].bias, weights["0.bias"])
        raise KeyError("a validation that fails")
    for name, value in weights.items():
        assert torch.equal(module.get_parameter(name), value)
    for name, value in average.state_dict().items():
        assert torch.equal(value, averages[name])


def test_a_restored_average_continues_bit_for_bit():
    module, other = _module(), _module()
    average, restored = Average(module, 0.9), Average(other, 0.9)
    _move(module, 1)
    average.update(0)
    restored.load_state_dict({name: v.clone() for name, v in average.state_dict().items()})
    for one in (module, other):
        _move(one, 2)
    average.update(1)
    restored.update(1)
    for name, value in average.state_dict().items():
        assert torch.equal(value, restored.state_dict()[name])


def test_averages_of_other_weights_are_refused():
    average = Average(_module(), 0.9)
    stored = average.state_dict()
    with pytest.raises(TrainingError, match=r"1\.bias is missing, expected \(2,\)"):
        average.load_state_dict({k: v for k, v in stored.items() if k != "1.bias"})
    with pytest.raises(TrainingError, match=r"extra is \(1,\), expected nothing"):
        average.load_state_dict({**stored, "extra": torch.zeros(1)})
    with pytest.raises(TrainingError, match=r"1\.bias is \(3,\), expected \(2,\)"):
        average.load_state_dict({**stored, "1.bias": torch.zeros(3)})


def test_while_swapped_nothing_else_is_done():
    average = Average(_module(), 0.9)
    with average.swap():
        for forbidden in (average.state_dict, lambda: average.update(0)):
            with pytest.raises(TrainingError, match="in use"):
                forbidden()


def test_a_decay_outside_0_and_1_is_refused():
    for decay in (0.0, 1.0, float("nan")):
        with pytest.raises(SettingError, match="above 0 and below 1"):
            Average(_module(), decay)


def test_half_precision_weights_are_refused():
    with pytest.raises(TrainingError, match="learns in bfloat16"):
        Average(_module().bfloat16(), 0.9)
