from monostep.data.procedural.draws import Draws
from monostep.data.procedural.layout_object import close_up
from monostep.data.procedural.render import view


def test_objects_are_near():
    for index in range(6):
        seen = view(close_up(Draws(3, index), 2, 0.7), (24, 32))
        assert seen.valid.float().mean() > 0.4
        assert 0.1 < seen.depth_m[seen.valid].median() < 12
