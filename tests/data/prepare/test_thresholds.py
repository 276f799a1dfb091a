from dataclasses import replace

from monostep.data.prepare.job import Facts
from monostep.data.prepare.thresholds import Thresholds

JUST = Facts(invalid=0.03, least_m=1.0, most_m=1.5, darkest=100, brightest=110)


def test_the_limits_themselves_are_within():
    assert Thresholds().admit(JUST)


def test_each_limit_alone_leaves_a_frame_out():
    worse = ({"invalid": 0.0301}, {"most_m": 1.49}, {"least_m": 1.01}, {"brightest": 109})
    for change in worse:
        assert not Thresholds().admit(replace(JUST, **change))
        easy = Thresholds(least_depth_range_m=0, least_rgb_range=0, most_invalid=1)
        assert easy.admit(replace(JUST, **change))
