import pytest

from monostep.data.procedural import material
from monostep.data.procedural.draws import Draws
from monostep.data.procedural.material import Material, table

MAKERS = ["plain", "wood", "bricks", "cloth", "stone", "soil", "facade", "anything"]


def makers():
    yield from ((name, getattr(material, name)) for name in MAKERS)
    yield "poster", lambda draws: material.poster(draws, 0.5)
    yield "lamp", lambda draws: material.lamp(draws, 2.0)


@pytest.mark.parametrize(
    ("name", "make"), list(makers()), ids=lambda v: v if isinstance(v, str) else ""
)
def test_random_materials_are_physical(name, make):
    made = [make(Draws(1, index)) for index in range(50)]
    for one in made:
        assert all(0 <= c <= 1 for c in (one.base_r, one.base_g, one.base_b))
        assert all(0 <= c <= 1 for c in (one.accent_r, one.accent_g, one.accent_b))
        assert one.period_u_m > 0
        assert one.period_v_m > 0
        assert (one.glow > 0) == (name == "lamp")
    assert len({one.base_b for one in made}) > 40


def test_colours_are_reflectances():
    for index in range(100):
        draws = Draws(2, index)
        colours = material.colour(draws), material.earthy(draws, (-0.1, 0.1), (0.2, 0.8))
        assert all(0 <= channel <= 1 for colour in colours for channel in colour)


def test_a_table_has_a_row_for_each_material():
    columns = table(
        [Material(base_r=0.1, base_g=0, base_b=0), Material(base_r=0.2, base_g=0, base_b=0)]
    )
    assert columns["base_r"].tolist() == [pytest.approx([0.1, 0.2])]
    assert columns["shininess"].shape == (1, 2)
