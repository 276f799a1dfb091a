from monostep.data.procedural.draws import Draws
from monostep.data.procedural.look import Look, random_look, row


def test_random_looks_differ_and_only_open_air_is_hazy():
    looks = [random_look(Draws(1, i), ambient=0.3, open_air=False) for i in range(50)]
    assert all(look.haze_per_m == 0 for look in looks)
    assert all(0 < look.exposure < 1 and 20 < look.quality <= 100 for look in looks)
    assert len({look.exposure for look in looks}) == 50
    outside = [random_look(Draws(1, i), ambient=0.3, open_air=True) for i in range(50)]
    assert any(look.haze_per_m > 0 for look in outside)


def test_a_row_has_every_field_as_a_tensor_of_one():
    columns = row(Look(exposure=0.5))
    assert columns["exposure"].tolist() == [0.5]
    assert all(column.shape == (1,) for column in columns.values())
