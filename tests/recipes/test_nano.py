import pytest

from monostep.errors import SettingError
from monostep.recipes import RECIPES, recipe


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_complete_and_says_its_command(name):
    assert recipe(name).recipe == name
    assert f"monostep train {name} -o" in RECIPES[name].__doc__


def test_an_unknown_recipe_lists_the_known_ones():
    with pytest.raises(SettingError, match=", ".join(RECIPES)):
        recipe("nano-deep")
