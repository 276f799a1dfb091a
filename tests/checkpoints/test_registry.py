import re
from collections import Counter

import pytest

from monostep.checkpoints import embedded, hub, registry
from monostep.checkpoints.registry import PUBLISHED, SEE_PAGE
from monostep.geometry import frames

IDS = [
    id
    for entry in PUBLISHED
    if entry.unet == "unet"  # a repository's other UNets have an alias alone
    for id in (entry.id, *entry.other_ids, *entry.mirrors)
]


def test_every_name_means_one_checkpoint():
    names = [*registry.aliases(), *map(str.lower, IDS), *embedded.names()]
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_every_name_of_a_checkpoint_finds_it():
    for entry in PUBLISHED:
        ids = (entry.id, *entry.other_ids, *entry.mirrors, entry.id.upper())
        for name in (entry.alias, *(ids if entry.unet == "unet" else ())):
            assert registry.find(name) is entry
    for name in ("nano-depth", "GonzaloMG/other", "E2E-DEPTH", "", "/"):
        assert registry.find(name) is None


@pytest.mark.parametrize("entry", PUBLISHED, ids=registry.aliases())
def test_an_entry_says_what_it_must(entry):
    assert "/" not in entry.alias
    assert all(hub.ID.fullmatch(id) for id in (entry.id, *entry.other_ids, *entry.mirrors))
    assert entry.revision is None or re.fullmatch(r"[0-9a-f]{40}", entry.revision)
    assert (entry.frame is not None) == (entry.task in ("normals", "geometry"))
    assert entry.frame == "opencv" or entry.task != "geometry"
    assert entry.frame is None or frames.check(entry.frame)
    assert entry.licence
    assert entry.task is not None or entry.note
    for rows in entry.scores.values():
        for scores in rows.values():
            assert len(scores) == 2
            for metric, value in scores.items():
                assert 0 < value < (90 if metric == "mean_angle_deg" else 1)


def test_the_two_frames_in_use_are_told_apart_by_family():
    expected = {"end-to-end": "dsine", "diffusion": "opengl"}
    for entry in PUBLISHED:
        if entry.task == "normals":
            assert entry.frame == expected[entry.family]


def test_scores_are_those_of_the_papers_tables():
    def cell(alias, row, name):
        scores = next(v for k, v in registry.find(alias).scores.items() if k.endswith(row))
        return tuple(scores[name].values())

    assert cell("e2e-depth", "1 step", "NYUv2") == (0.052, 0.966)
    assert cell("sd-e2e-depth", "1 step", "KITTI") == (0.096, 0.921)
    assert cell("marigold-depth-v1-0", "trailing", "ScanNet") == (0.066, 0.952)
    assert cell("marigold-depth-v1-0", "ensemble 10", "DIODE") == (0.308, 0.773)
    assert cell("marigold-lcm", "ensemble 5", "ETH3D") == (0.069, 0.955)
    assert cell("e2e-normals", "1 step", "Sintel") == (33.5, 0.215)
    assert cell("sd-e2e-normals", "1 step", "ScanNet") == (14.7, 0.661)
    assert cell("geowizard-e2e", "table 3, 1 step", "ScanNet") == (15.3, 0.636)
    assert cell("geowizard-e2e", "table A-3, 1 step", "DIODE") == (0.306, 0.779)
    assert cell("geowizard", "table 3, 50 steps, ensemble 10", "iBims-1") == (19.5, 0.616)
    assert cell("geowizard", "table A-3, 1 step, trailing", "KITTI") == (0.133, 0.847)


def test_both_geowizards_of_one_repository_are_told_apart():
    first, second = registry.find("geowizard"), registry.find("geowizard-v2")
    assert registry.find("lemonaddie/Geowizard") is first  # as its page spells it
    assert (first.id, second.unet) == (second.id, "unet_v2")
    assert registry.of_unet(first, "unet_v2") is second
    assert registry.of_unet(second, "unet") is first
    assert registry.of_unet(registry.find("geowizard-e2e"), "unet_v2") is None
    assert second.scores == {}  # no table has it


def test_what_left_its_id_says_where_else_it_is():
    entry = registry.find("stable-diffusion-2")
    assert "November 2025" in entry.note
    assert entry.mirrors[0] in entry.note
    assert entry.licence != SEE_PAGE
