import re

import pytest

from monostep.errors import SettingError
from monostep.recipes import recipe
from monostep.training.config import override


def test_settings_are_read_as_their_fields_types():
    config = override(
        recipe("nano-depth"),
        ["steps=12", "learning_rate=1", "flip=false", "phases=[[0,8,8,2]]", "cache=a/b"],
    )
    assert (config.steps, config.learning_rate, config.flip) == (12, 1.0, False)
    assert config.phases == ((0.0, 8, 8, 2),)
    assert config.cache == "a/b"
    assert override(config, ["cache=none"]).cache is None
    assert override(config, ["stop=7"]).last == 7
    assert override(config, ["stop=none"]).last == 12


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("stepz=12", "no setting 'stepz'"),
        ("steps", "expected key=value"),
        ("steps=a", "expected int"),
        ("steps=1.5", "expected int"),
        ("flip=1", "expected bool"),
        ("steps=0", "above 0"),
        ("learning_rate=NaN", "above 0"),
        ("clip=-1", "above 0"),
        ("final_fraction=0", "above 0"),
        ("workers=-1", "0 or above"),
        ("beta1=2", r"in [0, 1)"),
        ("stop=0", "at least 1"),
        ("precision=fp8", "fp32, bf16"),
        ("task=normals", "no setting 'task'"),
        ("phases=[[0.5,8,8,2]]", "the first at 0"),
        ("phases=[[0,8,8]]", "expected phases"),
        ("phases=[[0,8,8,2],[0.5,12,12,2]]", "whole multiple"),
    ],
)
def test_a_bad_setting_is_one_clear_line(setting, message):
    with pytest.raises(SettingError, match=re.escape(message)) as error:
        override(recipe("nano-depth"), [setting])
    assert "\n" not in str(error.value)


def test_phases_cover_every_step():
    config = override(recipe("nano-depth"), ["steps=10", "phases=[[0,8,8,4],[0.5,16,16,2]]"])
    assert [config.phase(step)[1] for step in range(10)] == [8] * 5 + [16] * 5
