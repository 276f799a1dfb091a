from itertools import pairwise

from monostep.training.seeds import derive


def test_a_seed_is_the_same_in_every_process_and_a_number_torch_takes():
    assert derive(0, "epoch", 1, 2) == derive(0, "epoch", 1, 2) == 4221626483956994657
    assert all(0 <= derive(n, "x") < 2**63 for n in range(1000))


def test_neighbours_of_a_seed_are_unrelated():
    seeds = [derive(0, "image", n) for n in range(1000)]
    assert len(set(seeds)) == 1000
    ones = sum(bin(a ^ b).count("1") for a, b in pairwise(seeds)) / 999
    assert 30 < ones < 33  # half of 63 bits


def test_parts_are_kept_apart():
    assert len({derive(1, 23), derive(12, 3), derive(1, 2, 3), derive("1", 23), derive(123)}) == 5
