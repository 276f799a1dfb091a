import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from scripts.furnished import library, rooms, standing
from scripts.furnished.library import Library, Model
from scripts.furnished.placing import Floor, Placed, turned

SIZES = {
    "bed": (1.5, 0.6, 2.0), "bedside": (0.5, 0.5, 0.4), "sofa": (2.0, 0.8, 0.9),
    "coffee_table": (1.2, 0.4, 0.6), "armchair": (0.9, 0.9, 0.8), "dining_table": (1.4, 0.75, 0.9),
    "chair": (0.45, 0.9, 0.5), "desk": (1.4, 0.73, 0.7), "office_chair": (0.6, 1.0, 0.6),
    "computer": (0.4, 0.4, 0.3), "cupboard": (1.5, 2.0, 0.6), "shelf": (0.9, 1.8, 0.35),
    "low_cupboard": (1.2, 0.8, 0.5), "tv_stand": (1.3, 0.5, 0.5), "tv": (0.8, 0.5, 0.1),
    "counter": (0.6, 0.88, 0.6), "upper_cabinet": (0.6, 0.7, 0.4), "tall_kitchen": (0.6, 1.8, 0.6),
    "small": (0.1, 0.2, 0.15), "floor_thing": (0.4, 0.6, 0.4), "rug": (2.0, 0.02, 1.4),
    "ceiling_lamp": (0.4, 0.6, 0.4), "floor_lamp": (0.4, 1.5, 0.4), "stool": (0.4, 0.7, 0.4),
    "bath": (1.7, 0.6, 0.8), "toilet": (0.4, 0.8, 0.7), "vanity": (0.8, 0.9, 0.5),
    "radiator": (1.0, 0.6, 0.1), "curtain": (1.3, 2.2, 0.05), "against_wall": (1.4, 1.2, 0.5),
}  # fmt: skip


@pytest.fixture
def furniture(monkeypatch):
    """Boxes: one model of each role, on whose flat tops things can stand."""
    models = [
        Model(
            key=role,
            name=role,
            role=role,
            category="Kitchen",
            size=size,
            elevation=1.45 if role == "upper_cabinet" else 0.0,
            path=Path(role),
            creator="",
            licence="",
        )
        for role, size in SIZES.items()
    ]

    def levels(path):
        width, height, depth = SIZES[path.name]
        shape = (1, int(depth / standing.CELL_M), int(width / standing.CELL_M))
        return np.full(shape, height, np.float32), np.full(shape, 1.5, np.float32)

    monkeypatch.setattr(library, "levels", levels)
    return Library(models)


@pytest.fixture
def made(furniture):
    return [rooms.make(furniture, np.random.default_rng([3, k])) for k in range(40)]


def test_all_is_inside_its_room(made):
    for room in made:
        for thing in room.floor.placed:
            for k in range(3):
                assert thing.box.low[k] >= -0.01 and thing.box.high[k] <= room.floor.size[k] + 0.01


def test_only_what_belongs_together_or_stands_on_something_shares_room(made):
    for room in made:
        for a, b in itertools.combinations(room.floor.placed, 2):
            together = a.group == b.group >= 0
            assert together or not a.box.overlaps(b.box), (a.model.name, b.model.name)


def test_nothing_stands_in_columns_or_before_doors(made):
    for room in made:
        for thing in room.floor.placed:
            if thing.on:
                continue
            assert not any(thing.box.overlaps(each) for each in room.floor.blocked)


def test_what_stands_on_something_touches_a_surface_below_it(made):
    carried = 0
    for room in made:
        tops = [thing.box for thing in room.floor.placed]
        for thing in room.floor.placed:
            if thing.model.role != "small" or thing.position[1] == 0:
                continue
            x, y, z = thing.position
            under = [
                box for box in tops if box.low[0] < x < box.high[0] and box.low[2] < z < box.high[2]
            ]
            assert any(abs(box.high[1] - y) < 0.005 for box in under)
            carried += 1
    assert carried > 50


def test_openings_of_one_wall_are_apart_and_on_it(made):
    for room in made:
        for hole in room.openings:
            length = room.floor.length(hole.wall)
            assert hole.width / 2 <= hole.along <= length - hole.width / 2
            assert hole.sill >= 0 and hole.sill + hole.height < room.floor.size[1]
        for a, b in itertools.combinations(room.openings, 2):
            apart = abs(a.along - b.along) > (a.width + b.width) / 2
            assert a.wall != b.wall or apart


def test_the_same_seed_makes_the_same_room(furniture):
    one, two = (rooms.make(furniture, np.random.default_rng([5, 6])) for _ in range(2))
    assert one.floor.placed == two.floor.placed and one.openings == two.openings


@pytest.mark.parametrize("wall", range(4))
def test_a_thing_at_a_wall_turns_its_back_to_it(wall, furniture):
    floor = Floor(size=(4.0, 2.5, 3.0))
    x, z = floor.point(wall, 1.5, 0.45)
    sofa = Placed(model=furniture.models["sofa"], position=(x, 0, z), angle=floor.angle(wall))
    front = np.array([math.sin(sofa.angle), 0, math.cos(sofa.angle)])
    inward = np.subtract(floor.point(wall, 1.5, 1), floor.point(wall, 1.5, 0))
    assert np.allclose(front[[0, 2]], inward)
    assert np.allclose(sofa.matrix() @ [0, 0, 1], front)
    edge = (sofa.box.low[2], sofa.box.high[0], sofa.box.high[2], sofa.box.low[0])[wall]
    assert edge == pytest.approx((0, 4, 3, 0)[wall])


def test_a_turned_rectangle_keeps_within_its_extent():
    corners = np.array([(1, 0.5), (1, -0.5)])
    for angle in np.linspace(0, 7, 20):
        c, s = np.cos(angle), np.sin(angle)
        reached = np.abs(corners @ np.array([[c, -s], [s, c]])).max(0)
        assert np.allclose(reached, turned(1, 0.5, angle))
