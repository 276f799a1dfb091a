import dataclasses

import pytest
import torch

from monostep.benchmark.cases import Case
from monostep.benchmark.program import settings, values
from monostep.errors import SettingError


def test_settings_are_the_cards_but_for_what_the_case_says(weights):
    card = weights.find().card
    how = settings(card, Case(size=(8, 8)))
    assert (how.resolution, how.steps, how.ensemble, how.noise) == (0, 1, 1, "zeros")
    assert how.last == card.last == "clean"
    asked = settings(
        card, Case(size=(8, 8), steps=50, members=10, noise="gaussian"), last="previous"
    )
    assert (asked.steps, asked.ensemble, asked.noise, asked.last) == (
        50,
        10,
        "gaussian",
        "previous",
    )
    with pytest.raises(SettingError):
        settings(card, Case(size=(8, 8), steps=0))


def test_the_cards_own_ensemble_is_not_what_is_measured(weights):
    card = dataclasses.replace(weights.find().card, ensemble=10)
    assert settings(card, Case(size=(8, 8))).ensemble == 1


def test_values_have_their_channel_last_in_float32():
    made = values(torch.rand(3, 4, 5, dtype=torch.bfloat16))
    assert made.shape == (4, 5, 3)
    assert made.dtype == "float32"
