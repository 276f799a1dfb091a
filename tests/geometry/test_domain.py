import pytest

from monostep.errors import SettingError
from monostep.geometry import domain


def test_the_three_domains_stand_in_the_order_of_their_class_numbers():
    assert domain.DOMAINS == ("indoor", "outdoor", "object")
    assert [domain.check(name) for name in domain.DOMAINS] == ["indoor", "outdoor", "object"]


@pytest.mark.parametrize("name", ["indoors", "", "Indoor"])
def test_any_other_is_refused_with_the_choice(name):
    with pytest.raises(SettingError, match=f"domain '{name}': choose indoor, outdoor, object"):
        domain.check(name)
