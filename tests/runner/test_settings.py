import pytest

from monostep.errors import SettingError
from monostep.runner.settings import endings


def test_formats_become_endings_once_each():
    assert endings("npy, PNG,.exr,npy") == (".npy", ".png", ".exr")


@pytest.mark.parametrize("text", ["", ",", "jpg", "npy,bmp"])
def test_other_formats_are_refused_with_the_choice(text):
    with pytest.raises(SettingError, match="npz"):
        endings(text)
