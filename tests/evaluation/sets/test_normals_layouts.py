import re
from pathlib import Path

import pytest

from monostep.evaluation.sets.lists import Sample, SampleList
from monostep.evaluation.sets.normals_layouts import LAYOUTS

SINTEL = (
    "alley_1 alley_2 ambush_2 ambush_4 ambush_5 ambush_6 ambush_7 bamboo_1 bamboo_2 bandage_1 "
    "bandage_2 cave_2 cave_4 market_2 market_5 market_6 mountain_1 shaman_2 shaman_3 sleeping_1 "
    "sleeping_2 temple_2 temple_3"
)
ROOMS = Path(__file__).parents[4] / "shared" / "data" / "lists" / "e2e_ft" / "nyu"


def samples(names):
    """Their list, each with its normals by name."""
    return SampleList(
        samples=[
            Sample(image=name, depth=re.sub(r"_img\.\w+$", "", name) + ending)
            for name, ending in names
        ]
    )


def test_the_published_lists_of_regular_names_have_the_known_hashes():
    shorter = {"ambush_2": 21, "ambush_4": 33, "ambush_6": 20, "market_6": 40}
    frames = {scene: shorter.get(scene, 50) for scene in SINTEL.split()}
    rooms = {
        "corridor": 10,
        "factory": 8,
        "kitchen": 8,
        "lab": 11,
        "lectureroom": 10,
        "livingroom": 15,
        "meetingroom": 8,
        "office": 8,
        "restaurant": 12,
        "restroom": 2,
        "storageroom": 8,
    }
    lists = {
        "sintel": [
            (f"{scene}/frame_{number:04d}_img.png", "_normal.exr")
            for scene, count in frames.items() for number in range(1, count + 1)
        ],
        "ibims": [
            (f"ibims/{room}_{number:02d}_img.png", "_normal.exr")
            for room, count in rooms.items() for number in range(1, count + 1)
        ],
        "vkitti": [
            (f"Scene{scene}/{number:06d}_img.jpg", "_normal.png")
            for scene in ("01", "02", "06", "18", "20") for number in range(200)
        ],
    }  # fmt: skip
    for name, names in lists.items():
        assert len(names) == LAYOUTS[name].images
        assert samples(names).sha256 == LAYOUTS[name].list_sha256


def test_nyuv2_s_published_list_is_the_official_test_split():
    found = [*ROOMS.rglob("*test*.txt")] if ROOMS.is_dir() else []
    if not found:
        pytest.skip("the official split is not at hand")
    numbers = re.findall(r"/rgb_(\d+)\.png", found[0].read_text())
    names = [(f"test/{int(number) - 1:06d}_img.png", "_normal.png") for number in numbers]
    assert samples(names).sha256 == LAYOUTS["nyuv2"].list_sha256


def test_counts_are_the_published_ones():
    assert {name: layout.images for name, layout in LAYOUTS.items()} == {
        "nyuv2": 654,
        "scannet": 300,
        "ibims": 100,
        "sintel": 1064,
        "vkitti": 1000,
        "oasis": 10_000,
    }
