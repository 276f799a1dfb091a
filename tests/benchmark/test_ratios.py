import pytest
from hypothesis import given
from hypothesis import strategies as st

from monostep.benchmark.ratios import pairwise, quotient, stepwise, summary

SECONDS = st.floats(0.01, 100)


def test_a_machine_that_slows_down_for_both_does_not_change_their_ratio():
    assert pairwise([2, 20, 2], [1, 10, 1]) == 2
    # nor does one round in which somebody else was disturbed
    assert pairwise([2, 2, 90], [1, 1, 1]) == 2


def test_it_is_not_the_ratio_of_medians():
    theirs, ours = [1, 4, 9], [1, 1, 9]
    assert pairwise(theirs, ours) == 1
    assert summary(theirs).median / summary(ours).median == 4


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=9).filter(lambda x: len(x) % 2))
def test_exchanging_both_inverts_the_ratio(rounds):
    one, other = zip(*rounds, strict=True)
    assert pairwise(one, other) == pytest.approx(1 / pairwise(other, one))
    assert pairwise(one, one) == 1


def test_rounds_must_be_the_same():
    with pytest.raises(ValueError, match="shorter"):
        pairwise([1.0, 2.0], [1.0])


def test_a_summary_tells_the_middle_and_the_ends():
    told = summary([3.0, 1.0, 8.0])
    assert (told.median, told.lowest, told.highest) == (3, 1, 8)


def test_a_quotient_of_unknowns_is_unknown():
    assert quotient(1.0, 4.0) == 0.25
    assert quotient(None, 4.0) is None
    assert quotient(1.0, None) is None
    assert quotient(1.0, 0) is None


def test_many_steps_encode_once_and_decode_every_member():
    seconds = {"encode": [9.0, 1.0], "unet": [14.0, 4.0], "decode": [21.0, 1.0]}
    computed = stepwise(seconds, steps=50, members=10, made_of=1)
    assert computed == [9 + 10 * (50 * 14 + 21), 1 + 10 * (50 * 4 + 1)]
    assert stepwise(seconds, steps=4, members=1, made_of=4) == [9 + 14 + 21, 1 + 4 + 1]
