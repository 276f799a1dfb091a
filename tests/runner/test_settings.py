import pytest

from monostep.errors import SettingError
from monostep.files import maps
from monostep.runner.settings import FORMATS, formats


def test_formats_are_taken_once_each_in_their_order():
    assert formats("npy, PNG,.exr,npy") == ("npy", "png", "exr")
    assert formats("exr-half") == ("exr-half",)


def test_every_format_of_maps_can_be_asked_for():
    assert {f".{word}" for word in FORMATS} - {".exr-half"} == set(maps.ENDINGS)


@pytest.mark.parametrize("text", ["", ",", "jpg", "npy,bmp"])
def test_other_formats_are_refused_with_the_choice(text):
    with pytest.raises(SettingError, match="npz, png, exr, exr-half"):
        formats(text)


def test_two_formats_of_one_name_are_refused():
    with pytest.raises(SettingError, match="share a name"):
        formats("exr,npy,exr-half")
