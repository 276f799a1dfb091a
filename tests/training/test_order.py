import pytest

from monostep.recipes import recipe
from monostep.training.order import MicroBatches, micro_batch
from monostep.training.overriding import override


def _config(*settings):
    phases = "phases=[[0,8,8,4],[0.35,16,16,2]]"
    return override(recipe("nano-depth"), ["steps=10", "scenes=1000", phases, *settings])


@pytest.mark.parametrize("accumulate", [1, 3])
def test_scenes_follow_each_other_without_gap_or_repeat_across_phases(accumulate):
    config = _config(f"accumulate={accumulate}")
    numbers = range(config.steps * accumulate)
    seen = [index for number in numbers for index in micro_batch(config, number).indices]
    assert seen == list(range(len(seen)))


def test_scenes_start_over_after_the_last():
    config = _config("scenes=5")
    assert micro_batch(config, 1).indices == (4, 0, 1, 2)


def test_flips_depend_on_the_seed_and_the_number_alone():
    flips = [micro_batch(_config(), number).flips for number in range(4)]
    again = [micro_batch(_config(), number).flips for number in (3, 2, 1, 0)]
    assert flips == again[::-1]
    assert flips != [micro_batch(_config("seed=1"), number).flips for number in range(4)]
    assert not any(micro_batch(_config("flip=false"), 0).flips)


def test_early_phases_see_the_same_scenes_reduced():
    data = MicroBatches(_config())
    assert data[0].image.shape == (4, 3, 8, 8)
    assert data[9].image.shape == (2, 3, 16, 16)
