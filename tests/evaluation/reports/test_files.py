import json
import math

import pytest

from monostep.errors import InputError
from monostep.evaluation.reports import files as report_files

VALUES = {
    "benchmark": "nyuv2",
    "protocol": "marigold-2024",
    "task": "depth",
    "data": {},
    "settings": {},
    "confidence": {},
    "metrics": {"abs_rel": 0.2, "delta1": 0.8},
}
CSV = """image,stratum,problem,pixels,abs_rel,delta1,row.abs_rel
a,all,,9,0.1,nan,0.5
b,all,no valid pixel to judge,0,,,
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "r.json").write_text(json.dumps(VALUES))
    (tmp_path / "r.csv").write_text(CSV)
    return tmp_path / "r.csv"


def test_lines_of_judged_images_are_read_without_the_baselines(path):
    stored = report_files.read(path)
    assert list(stored.metrics) == ["abs_rel", "delta1"]
    assert list(stored.lines) == ["a"]
    assert stored.lines["a"]["abs_rel"] == 0.1
    assert math.isnan(stored.lines["a"]["delta1"])
    assert stored.values == VALUES


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,stratum,problem,abs_rel\n", "expected image, stratum, problem, pixels"),
        ("image,stratum,problem,pixels,abs_rel\na,all,,9,zero\n", "line 2: not a score"),
        ("image,stratum,problem,pixels,abs_rel\na,all,,9\n", "line 2: not a score"),
        ("image,stratum,problem,pixels\na,all,,9\n", "r.csv: no scores of abs_rel"),
        ("", "begins with columns none"),
    ],
)
def test_a_file_that_is_no_report_is_refused(path, text, words):
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        report_files.read(path)


def test_both_files_must_be_there(path):
    path.with_suffix(".json").unlink()
    with pytest.raises(InputError, match=r"r\.json"):
        report_files.read(path)
    path.unlink()
    with pytest.raises(InputError, match=r"r\.csv: not a readable CSV"):
        report_files.read(path)


@pytest.mark.parametrize("lacking", ["data", "metrics", "task"])
def test_a_report_of_an_older_version_is_refused(path, lacking):
    older = {name: value for name, value in VALUES.items() if name != lacking}
    path.with_suffix(".json").write_text(json.dumps(older))
    with pytest.raises(InputError, match=rf"no '{lacking}'.*run the evaluation again"):
        report_files.read(path)
