import re

import pytest

from monostep.errors import SettingError
from monostep.recipes import recipe
from monostep.training.overriding import override


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("steps=0", "above 0"),
        ("learning_rate=NaN", "above 0"),
        ("clip=-1", "above 0"),
        ("final_fraction=0", "above 0"),
        ("workers=-1", "0 or above"),
        ("beta1=2", r"in [0, 1)"),
        ("stop=0", "at least 1"),
        ("average=1", "in [0, 1)"),
        ("skips=-1", "0 or above"),
        ("keep=0", "above 0"),
        ("weights=9,1", "weights [9, 1], data []: expected one whole number above 0 for each"),
        ("seed=99999999999999999999", "seed is 99999999999999999999: it must be in [0, 2^63)"),
        ("scene_seed=-1", "scene_seed is -1: it must be in [0, 2^63)"),
        ("phases=[[0.5,8,8,2]]", "the first at 0"),
        ("phases=[[0,0,8,2]]", "at least 1"),
        ("phases=[[0,8,8,2],[0.5,12,12,2]]", "whole multiple"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(setting, message):
    with pytest.raises(SettingError, match=re.escape(message)) as error:
        override(recipe("nano-depth"), [setting])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("again", ["a.csv", "./a.csv", "x/../a.csv"])
def test_nothing_is_measured_on_what_was_learned(again):
    learned = override(recipe("nano-depth"), ["data=a.csv,procedural"])
    with pytest.raises(SettingError, match="is in data, too") as error:
        override(learned, [f"validation_data=b.csv,{again}"])
    assert "\n" not in str(error.value)
    other = override(learned, ["validation_data=b.csv,procedural"])  # scenes of another seed
    assert other.validation_data == ("b.csv", "procedural")


def test_sizes_are_whole_numbers_of_latent_cells():
    config = override(recipe("nano-depth"), ["phases=[[0,48,60,2],[0.5,96,120,2]]"])
    for multiple in (1, 2, 4, 12):
        config.check_sizes(multiple)
    with pytest.raises(SettingError, match="48x60 is no multiple of 8") as error:
        config.check_sizes(8)
    assert "\n" not in str(error.value)


def test_what_is_refused_is_what_differs_from_the_default():
    config = override(recipe("nano-depth"), ["rank=4"])
    config.refuse("keep", "skips", why="of nothing")
    with pytest.raises(SettingError, match="rank 4 is of no effect in nano-depth: so; leave it"):
        config.refuse("keep", "rank", why="so")


def test_phases_cover_every_step():
    config = override(recipe("nano-depth"), ["steps=10", "phases=[[0,8,8,4],[0.5,16,16,2]]"])
    assert [config.phase(step)[1] for step in range(10)] == [8] * 5 + [16] * 5


def test_without_data_the_scenes_are_the_one_source():
    config = recipe("nano-depth")
    assert (config.sources, config.round) == (("procedural",), (1,))
    mixed = override(config, ["data=a.csv,procedural,b.csv"])
    assert (mixed.sources, mixed.round) == (("a.csv", "procedural", "b.csv"), (1, 1, 1))
    assert override(mixed, ["weights=9,2,1"]).round == (9, 2, 1)
