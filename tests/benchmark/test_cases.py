import pytest
import torch

from monostep.benchmark import cases
from monostep.benchmark.cases import Baseline, Case
from monostep.errors import SettingError


def test_sizes_and_baselines_are_read():
    assert cases.size("384x512") == (384, 512)
    assert cases.size("64X8") == (64, 8)
    assert cases.baseline("50x10") == Baseline(steps=50, members=10)
    assert cases.baseline("50x10").name == "50x10"


@pytest.mark.parametrize("text", ["384", "x", "0x8", "8x0", "a x b", "8x8x8", "-8x8"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(SettingError, match="expected HEIGHTxWIDTH"):
        cases.size(text)
    with pytest.raises(SettingError, match="expected STEPSxMEMBERS"):
        cases.baseline(text)


def test_a_size_that_someone_would_pad_is_refused_with_one_that_nobody_would():
    with pytest.raises(SettingError, match=r"divisible by 8.*take 480x640"):
        cases.size("479x641")


def test_cases_go_from_few_pixels_to_many_and_come_once():
    found = cases.cases([(64, 64), (8, 8), (64, 64)], [8, 1], steps=4)
    assert [(case.size, case.batch) for case in found] == [
        ((8, 8), 1),
        ((8, 8), 8),
        ((64, 64), 1),
        ((64, 64), 8),
    ]
    assert {case.steps for case in found} == {4}
    assert found[1].name == "8x8, batch 8"


def test_pictures_of_a_batch_differ_in_place_only():
    made = cases.pictures(Case(size=(16, 64), batch=3))
    assert made.shape == (3, 3, 16, 64)
    assert float(made.min()) >= 0 and float(made.max()) <= 1
    assert not torch.equal(made[0], made[1])
    assert torch.equal(made[0].sort().values, made[2].sort().values)
