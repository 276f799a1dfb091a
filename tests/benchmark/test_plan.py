import dataclasses
import sys

import marigold_folders
import numpy as np
import pytest

from monostep.benchmark import plan as planning
from monostep.benchmark.cases import Baseline, Case
from monostep.benchmark.plan import Wishes, plan
from monostep.errors import CheckpointError, MissingExtraError, SettingError

CASES = [Case(size=(8, 8))]
pytestmark = pytest.mark.filterwarnings("ignore")


def _plan(folder, cases=CASES, **wishes):
    return plan(str(folder), cases, Wishes(device="cpu", **wishes))


def test_diffusers_takes_part_if_nobody_says_otherwise(folder):
    planned = _plan(folder)
    assert planned.with_diffusers
    assert (planned.name, planned.task, planned.steps) == ("random-tiny-depth", "depth", 1)
    assert planned.weights.prompt.shape == (2, 16)
    alone = _plan(folder, against=())
    assert not alone.with_diffusers
    assert np.size(alone.weights.prompt) == 0


def test_without_diffusers_it_goes_on_unless_it_was_asked_for(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "diffusers", None)
    planned = _plan(folder)
    assert not planned.with_diffusers
    assert "diffusers is not installed" in planned.notes[0]
    with pytest.raises(MissingExtraError, match=r"monostep\[verify\]"):
        _plan(folder, against=("diffusers",))


def test_a_model_that_diffusers_has_no_pipeline_for(tmp_path):
    folder = marigold_folders.write(tmp_path / "m", "e2e-depth-4-channels")
    planned = plan(str(folder), CASES, Wishes(device="cpu"), task="depth")
    assert not planned.with_diffusers
    assert "4-channel" in planned.notes[0]


def test_steps_are_the_cards_or_those_asked_for(folder, monkeypatch):
    assert _plan(folder, [Case(size=(8, 8), steps=4)]).steps == 4
    find = planning.opening.find

    def of_four(*arguments, **options):
        found = find(*arguments, **options)
        return dataclasses.replace(found, card=dataclasses.replace(found.card, steps=3))

    monkeypatch.setattr(planning.opening, "find", of_four)
    assert _plan(folder).steps == 3


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"rounds": 0}, "--repeat 0"),
        ({"cold_starts": -1}, "--cold-start -1"),
        ({"threads": 0}, "--threads 0"),
        ({"dtypes": ()}, "--dtype"),
        ({"dtypes": ("fp8",)}, "--dtype fp8"),
        ({"against": ("midas",)}, "--against midas"),
        ({"measure_baselines": True}, "--measure-baseline: which"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(folder, wishes, said):
    with pytest.raises(SettingError, match=said):
        _plan(folder, **wishes)


def test_a_baseline_to_measure_is_fine(folder):
    wishes = {"baselines": (Baseline(steps=2, members=2),), "measure_baselines": True}
    assert _plan(folder, **wishes).wishes.measure_baselines


def test_there_must_be_a_model(tmp_path):
    with pytest.raises(CheckpointError):
        _plan(tmp_path)


def test_without_transformers_there_are_no_rivals(folder, monkeypatch):
    monkeypatch.setattr(planning.rivals.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="dpt-large"):
        _plan(folder, against=("dpt-large",))
