import pytest

from monostep.errors import SettingError
from monostep.recipes import recipe
from monostep.training.overriding import override


def _config(*settings):
    return override(recipe("miniature-base"), settings)


def test_it_has_no_start():
    with pytest.raises(SettingError, match="no setting 'start'"):
        _config("start=runs/base")


def test_there_is_nothing_to_draw():
    with pytest.raises(SettingError, match=r"pictures 2 is of no effect .* no map of an image"):
        _config("pictures=2")
