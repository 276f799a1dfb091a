import numpy as np
import pytest

from monostep.errors import InputError
from monostep.reproduction import results


def test_reading_is_the_inverse_of_writing(tmp_path):
    scores = results.Scores(
        names=("a", "b"), strata=("indoor", "object"), columns={"error": np.array([0.5, 0.25])}
    )
    results.write(tmp_path / "t.csv", scores)
    back = results.read(tmp_path / "t.csv")
    assert (back.names, back.strata) == (scores.names, scores.strata)
    np.testing.assert_array_equal(back.columns["error"], scores.columns["error"])


def test_another_file_is_named(tmp_path):
    (tmp_path / "t.csv").write_text("other\n")
    with pytest.raises(InputError, match="no table of scores"):
        results.read(tmp_path / "t.csv")
