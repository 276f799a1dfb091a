from monostep.data.procedural.draws import Draws
from monostep.data.procedural.layout_indoor import indoor
from monostep.data.procedural.render import view


def test_rooms_are_closed_and_of_the_size_of_rooms():
    for index in range(6):
        scene = indoor(Draws(3, index), 0, 0.7)
        assert len(scene.rooms) == 1
        seen = view(scene, (24, 32))
        assert seen.valid.all()
        assert not seen.sky.any()
        assert seen.depth_m.min() > 0.1
        assert seen.depth_m.max() < 15
