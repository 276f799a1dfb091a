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
        ("phases=[[0.5,8,8,2]]", "the first at 0"),
        ("phases=[[0,0,8,2]]", "at least 1"),
        ("phases=[[0,8,8,2],[0.5,12,12,2]]", "whole multiple"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(setting, message):
    with pytest.raises(SettingError, match=re.escape(message)) as error:
        override(recipe("nano-depth"), [setting])
    assert "\n" not in str(error.value)


def test_phases_cover_every_step():
    config = override(recipe("nano-depth"), ["steps=10", "phases=[[0,8,8,4],[0.5,16,16,2]]"])
    assert [config.phase(step)[1] for step in range(10)] == [8] * 5 + [16] * 5
