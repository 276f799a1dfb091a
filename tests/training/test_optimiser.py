import dataclasses
import sys
from itertools import pairwise
from types import ModuleType

import paired_joint
import pytest
import torch
from torch import nn

from monostep.errors import MissingExtraError, TrainingError
from monostep.recipes import recipe
from monostep.training.optimiser import (
    class_weights,
    learning_rate_fraction,
    new_optimiser,
    set_learning_rate,
)


def _config(optimiser="adamw", **changes):
    return dataclasses.replace(recipe("nano-depth"), optimiser=optimiser, **changes)


def _parameters(*, dtype=torch.float32):
    torch.manual_seed(0)
    return [nn.Parameter(torch.randn(shape).to(dtype)) for shape in ((300, 7), (5,), (3, 2, 3, 3))]


def _steps(optimiser, parameters, count=8):
    generator = torch.Generator().manual_seed(1)
    for _ in range(count):
        for parameter in parameters:
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.grad = 0.1 * noise.to(parameter.dtype)
        optimiser.step()
    return parameters


@pytest.mark.parametrize(
    ("step", "rate"),
    [
        (0, 0.0),
        (1, 3.0e-7),
        (50, 1.5e-5),
        (100, 3.0e-5),
        (1000, 2.43595e-5),
        (5000, 9.65293e-6),
        (10000, 3.03491e-6),
        (15000, 9.54188e-7),
        (19999, 3.00069e-7),
        (20000, 3.0e-7),
    ],
)
def test_the_rate_is_the_papers(step, rate):
    assert 3e-5 * learning_rate_fraction(step, total=20000) == pytest.approx(rate, rel=1e-5)


def test_the_optimiser_gets_the_rate_of_its_step():
    config = _config()
    optimiser = new_optimiser([torch.nn.Parameter(torch.zeros(1))], config)
    rate = set_learning_rate(optimiser, config, config.warmup)
    assert rate == config.learning_rate == optimiser.param_groups[0]["lr"]


def test_the_rate_falls_by_the_same_factor_every_step_after_the_warm_up():
    fractions = [learning_rate_fraction(step, total=20000) for step in range(20001)]
    ratios = [after / before for before, after in pairwise(fractions[100:])]
    assert max(ratios) - min(ratios) < 1e-12
    assert fractions[:101] == [step / 100 for step in range(101)]
    assert learning_rate_fraction(25000, total=20000) == 0.01


def test_marigolds_rate_stays_at_its_end_for_the_last_steps():
    assert learning_rate_fraction(24999, total=25000) > 0.01
    for step in (25000, 29999):
        assert 3e-5 * learning_rate_fraction(step, total=25000) == pytest.approx(3e-7)


def _of_classes(**changes):
    """A joint network's optimiser, and the names of what is in each group."""
    model = paired_joint.model()
    trained = nn.ModuleDict({"unet": model.unet, "image_encoder": model.image_encoder})
    config = dataclasses.replace(recipe("geowizard-e2e"), **changes)
    optimiser = new_optimiser(trained.parameters(), config, of_class=class_weights(trained))
    names = {id(p): name for name, p in trained.named_parameters()}
    groups = [{names[id(p)] for p in group["params"]} for group in optimiser.param_groups]
    return optimiser, config, groups, set(names.values())


def test_the_class_embedding_learns_at_ten_times_the_rate():
    optimiser, config, (rest, faster), every = _of_classes()
    assert faster == {
        f"unet.class_embedding.linear_{k}.{kind}" for k in (1, 2) for kind in ("weight", "bias")
    }
    assert rest == every - faster
    assert "image_encoder.vision_model.embeddings.class_embedding" in rest  # CLIP's class token
    assert [group["lr"] for group in optimiser.param_groups] == pytest.approx([3e-5, 3e-4])
    for step, rate in ((50, 1.5e-5), (1000, 2.43595e-5), (20_000, 3e-7)):
        assert set_learning_rate(optimiser, config, step) == pytest.approx(rate, rel=1e-5)
        rates = [group["lr"] for group in optimiser.param_groups]
        assert rates == pytest.approx([rate, 10 * rate], rel=1e-5)


def test_at_the_same_rate_there_is_one_group():
    _, _, groups, every = _of_classes(class_rate=1.0)
    assert groups == [every]


def test_a_schedule_that_ends_at_its_peak_is_constant():
    for step in (100, 5000, 19_999, 20_000, 30_000):
        assert learning_rate_fraction(step, total=20_000, final_fraction=1.0) == 1
    assert learning_rate_fraction(50, total=20_000, final_fraction=1.0) == 0.5


def test_the_first_step_only_fills_the_moments():
    config = _config()
    parameters = _parameters()
    before = [parameter.detach().clone() for parameter in parameters]
    optimiser = new_optimiser(parameters, config)
    set_learning_rate(optimiser, config, 0)
    _steps(optimiser, parameters, count=1)
    assert all(torch.equal(a, b) for a, b in zip(parameters, before, strict=True))
    assert all(optimiser.state[p]["exp_avg"].abs().max() > 0 for p in parameters)


@pytest.mark.parametrize("decay", [0.0, 1e-2])
@pytest.mark.parametrize("kind", ["adamw", "adam"])
def test_a_step_is_that_of_the_formula(kind, decay):
    config = _config(kind, learning_rate=1e-2, weight_decay=decay)
    found = _steps(new_optimiser(parameters := _parameters(), config), parameters)
    expected = _parameters(dtype=torch.float64)
    moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in expected]
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for n in range(1, 9):
            for weight, (m, v) in zip(expected, moments, strict=True):
                noise = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
                gradient = 0.1 * noise + (decay * weight if kind == "adam" else 0)
                m.copy_(config.beta1 * m + (1 - config.beta1) * gradient)
                v.copy_(config.beta2 * v + (1 - config.beta2) * gradient**2)
                if kind == "adamw":
                    weight.mul_(1 - 1e-2 * decay)
                size = (v / (1 - config.beta2**n)).sqrt() + 1e-8
                weight.sub_(1e-2 * m / (1 - config.beta1**n) / size)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-5, atol=1e-6)


def test_on_the_cpu_weights_are_updated_in_one_pass_as_in_many():
    config = _config(learning_rate=3e-5)
    optimiser = new_optimiser(parameters := _parameters(), config)
    assert optimiser.param_groups[0]["fused"] is True
    betas = (config.beta1, config.beta2)
    others = _parameters()
    plain = torch.optim.AdamW(
        others, lr=3e-5, betas=betas, weight_decay=config.weight_decay, fused=False, foreach=False
    )
    for ours, theirs in zip(_steps(optimiser, parameters), _steps(plain, others), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=5e-7, atol=1e-8)


def test_only_what_learns_is_given_to_the_optimiser():
    parameters = _parameters()
    parameters[1].requires_grad_(requires_grad=False)
    (group,) = new_optimiser(parameters, _config()).param_groups
    assert [p.shape for p in group["params"]] == [parameters[0].shape, parameters[2].shape]
    for parameter in parameters:
        parameter.requires_grad_(requires_grad=False)
    with pytest.raises(TrainingError, match="nothing would be learned"):
        new_optimiser(parameters, _config())


def test_eight_bits_without_the_package_name_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(MissingExtraError, match=r"choose adamw, or install monostep\[eight-bit\]"):
        new_optimiser(_parameters(), _config("adamw8bit"))


def test_eight_bits_get_the_configs_settings(monkeypatch):
    given = {}

    class AdamW8bit(torch.optim.AdamW):
        def __init__(self, parameters, **settings):
            given.update(settings)
            super().__init__(parameters, **settings)

    package, module = ModuleType("bitsandbytes"), ModuleType("bitsandbytes.optim")
    module.AdamW8bit = AdamW8bit
    monkeypatch.setitem(sys.modules, "bitsandbytes", package)
    monkeypatch.setitem(sys.modules, "bitsandbytes.optim", module)
    config = _config("adamw8bit", learning_rate=1e-3, weight_decay=0.5, beta1=0.8, beta2=0.9)
    assert isinstance(new_optimiser(_parameters(), config), AdamW8bit)
    assert given == {"lr": 1e-3, "betas": (0.8, 0.9), "weight_decay": 0.5}
