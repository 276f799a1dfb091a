import numpy as np
import pytest

from monostep.errors import InputError
from monostep.reproduction import results, study
from monostep.reproduction.collected import Collected


def test_strata_part_the_scenes(tmp_path):
    (tmp_path / study.RESULTS).mkdir()
    columns = {"error": np.array([1.0, 2.0, 3.0])}
    scores = results.Scores(
        names=tuple("abc"), strata=("indoor", "object", "indoor"), columns=columns
    )
    results.write(tmp_path / study.RESULTS / "m-1.once.csv", scores)
    collected = Collected(tmp_path, (0, 1))
    assert collected.found("m-{seed}.once") == (1,)
    assert collected.strata("m-{seed}.once") == ("all", "indoor", "object")
    assert collected.errors("m-{seed}.once", "error", "indoor", (1,)).tolist() == [[1.0, 3.0]]
    assert collected.json("absent.json") == {}


@pytest.mark.parametrize("names, strata", [("abd", "xyx"), ("abc", "xxx"), ("ab", "xy")])
def test_tables_of_other_scenes_are_no_pairs(tmp_path, names, strata):
    (tmp_path / study.RESULTS).mkdir()
    for seed, (rows, kinds) in enumerate([("abc", "xyx"), ("abc", "xyx"), (names, strata)]):
        columns = {"error": np.ones(len(rows))}
        scores = results.Scores(names=tuple(rows), strata=tuple(kinds), columns=columns)
        results.write(tmp_path / study.RESULTS / f"m-{seed}.once.csv", scores)
    collected = Collected(tmp_path, (0, 1, 2))
    collected.check_pairs(["m-{seed}.once"], (0, 1))
    with pytest.raises(InputError, match=r"m-2\.once\.csv: other scenes than in m-0\.once\.csv"):
        collected.check_pairs(["m-{seed}.once"], (0, 1, 2))
