import pytest

from monostep.training.mixture import count, epoch, source_of


@pytest.mark.parametrize("weights", [(9, 1), (1, 1), (3, 2, 1), (1,)])
def test_every_round_holds_the_shares_exactly(weights):
    length = sum(weights)
    for turn in range(50):
        drawn = [source_of(weights, 0, turn * length + k) for k in range(length)]
        assert tuple(drawn.count(k) for k in range(len(weights))) == weights


def test_rounds_have_orders_of_their_own():
    orders = {tuple(source_of((9, 1), 0, 10 * turn + k) for k in range(10)) for turn in range(60)}
    assert len(orders) == 10  # the one can stand at each of ten places
    assert [source_of((9, 1), 1, n) for n in range(99)] != [
        source_of((9, 1), 0, n) for n in range(99)
    ]


def test_a_count_is_the_number_of_those_before():
    weights = (9, 1)
    drawn = [source_of(weights, 5, n) for n in range(64)]
    for number in range(64):
        for source in (0, 1):
            assert count(weights, 5, source, number) == drawn[:number].count(source)


def test_an_epoch_is_as_long_as_that_of_the_reference():
    # spec 3.6: Hypersim and Virtual KITTI 2 in batches of two
    assert epoch([29_772, 10_630], [9, 1]) == 33_080
    assert epoch([90, 10_630], [9, 1]) == 100
    assert epoch([10_630, 5], [9, 1]) == 50
    assert epoch([17], [1]) == 17
