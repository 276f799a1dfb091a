from toy_benchmark import Toy

from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.sets.procedural import Procedural
from monostep.evaluation.sets.real import Motorcycle


def test_what_has_all_of_it_is_a_benchmark_and_nothing_else():
    for one in (Procedural(), Motorcycle(), Toy()):
        assert isinstance(one, Benchmark)
        assert all(task in ("depth", "normals") for task in one.rules)
    assert not isinstance(object(), Benchmark)


def test_a_benchmark_is_as_long_as_its_names():
    toy = Toy(images=3)
    assert [toy.load(index).name for index in range(len(toy.names))] == toy.names
