import numpy as np

from monostep.benchmark.cases import Case
from monostep.benchmark.fleet import Fleet, SubjectError
from monostep.benchmark.rounds import Record, measure, measure_once, order
from monostep.benchmark.worker import Timing

CASE = Case(size=(8, 8))


class Stub:
    """Writes down what it is asked; fails at one thing."""

    def __init__(self, name, log, fails=None):
        self.name, self.log, self.fails = name, log, fails

    def ask(self, method, *_, **__):
        self.log.append((self.name, method))
        if method == self.fails:
            raise SubjectError("no")
        return {
            "begin": (8, 8),
            "time": Timing(seconds={"whole": 1.0}, peak_bytes=len(self.log)),
            "compare": np.zeros((8, 8, 1), np.float32),
            "count": {"whole": 5},
        }[method]

    def dismiss(self):
        pass


def _fleet(log, **fails):
    fleet = Fleet()
    fleet.members = {name: Stub(name, log, fails.get(name)) for name in "abc"}
    return fleet


def _measure(fleet, rounds=3):
    return measure(fleet, CASE, rounds=rounds, tell=lambda _: None)


def test_the_order_is_reversed_every_other_round():
    assert order("abc", 0) == ["a", "b", "c"]
    assert order("abc", 1) == ["c", "b", "a"]
    log = []
    records = _measure(_fleet(log))
    assert "".join(name for name, method in log if method == "time") == "abccbaabc"
    assert {name: len(record.timings) for name, record in records.items()} == dict.fromkeys(
        "abc", 3
    )


def test_maps_and_counts_come_after_the_rounds_and_warm_up_before():
    log = []
    _measure(_fleet(log))
    methods = [method for _, method in log]
    assert methods[:3] == ["begin"] * 3
    assert set(methods[3:12]) == {"time"}
    assert methods[12:] == ["compare", "count"] * 3


def test_one_who_fails_leaves_the_others_their_rounds():
    for fails in ("begin", "time", "compare", "count"):
        fleet = _fleet([], b=fails)
        records = _measure(fleet)
        assert list(records) == ["a", "c"]
        assert [len(records[name].timings) for name in "ac"] == [3, 3]
        assert fleet.failed == {"b": "no"}


def test_a_long_case_is_run_once_and_cold_by_those_asked():
    log = []
    records = measure_once(_fleet(log), ["a", "c"], CASE, lambda _: None)
    assert log == [("a", "begin"), ("c", "begin"), ("a", "time"), ("c", "time")]
    assert [len(record.timings) for record in records.values()] == [1, 1]


def test_a_record_tells_by_stage_and_the_highest_peak():
    record = Record(size=(8, 8))
    assert (record.seconds("whole"), record.peak_bytes) == ([], None)
    record.timings = [
        Timing(seconds={"whole": 2.0, "unet": 1.0}, peak_bytes=7),
        Timing(seconds={"whole": 3.0, "unet": 1.5}, peak_bytes=9),
    ]
    assert record.seconds("unet") == [1.0, 1.5]
    assert record.seconds("decode") == []
    assert record.peak_bytes == 9
