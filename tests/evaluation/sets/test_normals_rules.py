import pytest

from monostep.errors import SettingError
from monostep.evaluation.rules import Input
from monostep.evaluation.sets.normals_layouts import LAYOUTS
from monostep.evaluation.sets.normals_rules import PROTOCOLS, normals_rules

INDOOR = {"nyuv2", "scannet", "ibims"}


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_published_protocol_pools_pixels_of_images_of_their_own_size(name):
    rules = normals_rules(LAYOUTS[name], "dsine-2024")
    assert rules.pooled
    domain = "indoor" if name in INDOOR else "outdoor"
    assert rules.input == Input(resolution=0, fit="reference", domain=domain)


@pytest.mark.parametrize("name", LAYOUTS)
def test_e2e_ft_s_differs_by_the_colours_alone(name):
    ours, theirs = (
        normals_rules(LAYOUTS[name], p).as_dict() for p in ("dsine-2024", "e2e-ft-2024")
    )
    assert ours["input"].pop("colours") == "as they are"
    assert theirs["input"].pop("colours") == "stretched"
    assert (ours.pop("protocol"), theirs.pop("protocol")) == ("dsine-2024", "e2e-ft-2024")
    assert ours == theirs


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_right_way_counts_images_and_pads(name):
    rules = normals_rules(LAYOUTS[name], "monostep-1")
    assert not rules.pooled
    assert (rules.input.fit, rules.input.colours) == ("pad", "as they are")


def test_other_protocols_are_refused_with_the_choice():
    with pytest.raises(
        SettingError, match="ibims: no protocol 'marigold-2024'; choose dsine-2024, "
    ):
        normals_rules(LAYOUTS["ibims"], "marigold-2024")
    assert [normals_rules(LAYOUTS["ibims"], name).protocol for name in PROTOCOLS] == [*PROTOCOLS]
