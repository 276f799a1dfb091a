import pytest
import torch

from monostep.recipes import recipe
from monostep.training.optimiser import adamw, learning_rate_fraction, set_learning_rate


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
    config = recipe("nano-depth")
    optimiser = adamw([torch.nn.Parameter(torch.zeros(1))], config)
    rate = set_learning_rate(optimiser, config, config.warmup)
    assert rate == config.learning_rate == optimiser.param_groups[0]["lr"]
