import pytest

from monostep.reproduction.bootstrap import Ratio
from monostep.reproduction.margins import Margin
from monostep.reproduction.verdict import judge, words


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.9, 0.95, "confirmed"), (0.9, 1.1, "inconclusive"), (1.1, 1.2, "not confirmed")],
)
def test_whole_interval_decides(low, high, expected):
    assert judge(Ratio(value=1.0, low=low, high=high), Margin(most=1.0)) == expected


def test_interval_around_both_limits_and_value_alone():
    both = Margin(least=0.98, most=1.02)
    assert judge(Ratio(value=1.0, low=0.5, high=1.5), both) == "inconclusive"
    assert judge(Ratio(value=0.5, low=0.4, high=0.6), both) == "not confirmed"
    assert judge(Ratio(value=2.0), Margin(least=1.5)) == "confirmed"
    assert words(both) == "0.98 to 1.02"
