import dataclasses

import pytest
import torch

from monostep.evaluation.sets.procedural import Procedural
from monostep.reproduction import scenes
from monostep.reproduction.budget import BUDGETS

BUDGET = dataclasses.replace(BUDGETS["quick"], images=3, height=16, width=24)


def _assert_equal(one, other):
    assert len(one.cases) == len(other.cases)
    for left, right in zip(one.cases, other.cases, strict=True):
        for field in dataclasses.fields(left):
            a, b = getattr(left, field.name), getattr(right, field.name)
            assert type(a) is type(b)
            if isinstance(a, torch.Tensor):
                assert a.dtype == b.dtype and torch.equal(a, b), field.name
            else:
                assert a == b, field.name


def test_scenes_come_back_from_their_file_as_they_were(tmp_path):
    file = tmp_path / "new" / "scenes.npz"
    rendered = scenes.held_out(BUDGET, file)
    assert file.is_file()
    before = file.stat().st_mtime_ns
    _assert_equal(scenes.held_out(BUDGET, file), rendered)
    assert file.stat().st_mtime_ns == before
    _assert_equal(scenes.held_out(BUDGET), rendered)


def test_they_are_those_of_the_benchmark():
    benchmark = Procedural(images=3, height=16, width=24)
    found = scenes.held_out(BUDGET)
    assert [case.name for case in found.cases] == list(benchmark.names)
    assert torch.equal(found.cases[2].image, benchmark.load(2).image)
    assert found.rules == benchmark.rules


@pytest.mark.parametrize("broken", [False, True])
def test_a_file_of_others_or_of_nothing_is_written_again(tmp_path, broken):
    file = tmp_path / "scenes.npz"
    scenes.held_out(dataclasses.replace(BUDGET, images=1), file)
    if broken:
        file.write_bytes(file.read_bytes()[:100])
    assert len(scenes.held_out(BUDGET, file).cases) == 3
    _assert_equal(scenes.held_out(BUDGET, file), scenes.held_out(BUDGET))


def test_first_takes_only_so_many():
    found = scenes.held_out(BUDGET)
    assert found.first(2).cases == found.cases[:2]
    assert found.first(9).cases == found.cases
