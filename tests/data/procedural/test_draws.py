import pytest

from monostep.data.procedural.draws import Draws, splitmix64


def test_splitmix64_has_its_published_values():
    assert splitmix64(0) == 0xE220A8397B1DCDAF


def test_the_same_seed_and_index_give_the_same_numbers_and_others_do_not():
    def first(seed, index):
        draws = Draws(seed, index)
        return tuple(draws.unit() for _ in range(3))

    assert first(3, 5) == first(3, 5)
    starts = {first(seed, index) for seed in range(20) for index in range(20)}
    assert len(starts) == 400


def test_the_stream_does_not_repeat_after_a_block():
    draws = Draws(0, 0)
    assert len({draws.unit() for _ in range(5000)}) == 5000


@pytest.mark.parametrize("name", ["uniform", "log_uniform"])
def test_numbers_stay_in_their_range(name):
    draws = Draws(1, 2)
    numbers = [getattr(draws, name)(0.5, 8.0) for _ in range(1000)]
    assert 0.5 <= min(numbers) < 0.7
    assert 7.0 < max(numbers) < 8.0


def test_integers_include_both_ends_and_chances_are_met():
    draws = Draws(1, 3)
    assert {draws.integer(2, 5) for _ in range(200)} == {2, 3, 4, 5}
    assert {draws.choice("abc") for _ in range(200)} == set("abc")
    assert 220 < sum(draws.chance(0.3) for _ in range(1000)) < 380
