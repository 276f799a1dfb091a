import dataclasses
import math

import pytest

from monostep.errors import SettingError
from monostep.evaluation.rules import BY_IMAGE
from monostep.evaluation.sets.depth_layouts import LAYOUTS
from monostep.evaluation.sets.depth_rules import PROTOCOLS, depth_rules

BENCHMARKS = [name for layout in LAYOUTS.values() for name in layout.official]


# Resolution, clip and thinning of the published evaluation.
@pytest.mark.parametrize(
    ("name", "resolution", "near_m", "far_m", "align_side"),
    [
        ("nyuv2", 0, 1e-3, 10, None),
        ("kitti", 0, 1e-5, 80, None),
        ("eth3d", 756, 1e-5, math.inf, 1024),
        ("scannet", 0, 1e-3, 10, None),
        ("diode", 640, 0.6, 350, None),
        ("diode-indoor", 640, 0.6, 350, None),
        ("diode-outdoor", 640, 0.6, 350, None),
    ],
)
def test_the_published_protocol(name, resolution, near_m, far_m, align_side):
    rules = depth_rules(name, "marigold-2024")
    assert (rules.near_m, rules.far_m, rules.align_side) == (near_m, far_m, align_side)
    assert (rules.input.resolution, rules.input.fit) == (resolution, "reference")
    assert (rules.input.domain, rules.boundaries, rules.alignment) == ("indoor", False, None)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_ours_differs_where_it_says_so_and_nowhere_else(name):
    published, ours = depth_rules(name, "marigold-2024"), depth_rules(name, "monostep-1")
    assert (ours.input.fit, ours.align_side, ours.boundaries) == ("pad", None, True)
    told = {"nyuv2": "indoor", "scannet": "indoor", "diode": BY_IMAGE, "diode-indoor": "indoor"}
    assert ours.input.domain == told.get(name, "outdoor")
    same = dataclasses.replace(
        ours,
        protocol="marigold-2024",
        boundaries=False,
        align_side=published.align_side,
        input=dataclasses.replace(ours.input, fit="reference", domain="indoor"),
    )
    assert same == published


def test_gargs_region_is_kittis_alone():
    rules = depth_rules("kitti", "marigold-2024-garg")
    assert rules == dataclasses.replace(
        depth_rules("kitti", "marigold-2024"), protocol="marigold-2024-garg"
    )
    with pytest.raises(SettingError, match="nyuv2: no protocol 'marigold-2024-garg'; choose"):
        depth_rules("nyuv2", "marigold-2024-garg")


def test_a_protocol_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(SettingError, match="no protocol 'dsine-2024'") as error:
        depth_rules("kitti", "dsine-2024")
    assert all(name in str(error.value) for name in PROTOCOLS)
