import numpy as np

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
