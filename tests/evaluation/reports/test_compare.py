import json
from dataclasses import replace

import numpy as np
import pytest

from monostep.errors import InputError
from monostep.evaluation.judge import Judged
from monostep.evaluation.reports import compare, report
from monostep.evaluation.rules import DepthRules
from monostep.evaluation.scores import MODEL, Line
from monostep.metrics import depth

COUNT = 40
WAY = {"steps": 1, "ensemble": 1, "noise": "zeros", "spacing": "trailing"}
RULES = DepthRules(protocol="marigold-2024", far_m=10.0)


def _judged(name, errors, **changes):
    lines = [
        Line(
            image=f"{index:03d}",
            stratum="all",
            pixels=9,
            scores={
                MODEL: {metric: float(error) for metric in depth.NAMES}
                | {"delta1": 1 - float(error)},
                "row": {metric: 0.5 for metric in depth.NAMES},
            },
        )
        for index, error in enumerate(errors)
    ]
    judged = Judged(
        name=name,
        about={"model": name, "settings": {"dtype": "float32"}},
        task="depth",
        rules=RULES,
        benchmark={"list_sha256": "1", "missing": 0},
        lines=lines,
    )
    return replace(judged, **changes)


def _write(folder, judged):
    values = report.report("nyuv2", judged)
    report.write(folder, judged.name, values, judged.lines)
    return folder / f"{judged.name}.csv"


@pytest.fixture
def errors():
    generator = np.random.default_rng(1)
    first = generator.uniform(0.1, 0.3, size=COUNT)
    return first, first + generator.normal(0.02, 0.03, size=COUNT)


@pytest.fixture
def files(tmp_path, errors):
    return [
        _write(tmp_path, _judged(name, one))
        for name, one in zip(("one", "two"), errors, strict=True)
    ]


def test_one_model_run_in_two_ways_is_said_to_be_one(tmp_path, errors):
    def about(attention, domain):
        inference = {"resolution": 0, "fit": "reference", "domain": domain, **WAY}
        settings = {"attention": attention, "inference": inference}
        return {"model": "m", "weights_sha256": "1", "settings": settings}

    ways = {"one": about("joint", "indoor"), "two": about("separate", "outdoor")}
    files = [
        _write(tmp_path, replace(_judged(name, one), about=ways[name]))
        for name, one in zip(ways, errors, strict=True)
    ]
    [note] = compare.compare(*files)["notes"]
    assert note == (
        "A and B are the same weights with other domain (indoor; outdoor), "
        "attention (joint; separate)"
    )
    assert compare.compare(files[0], files[0])["notes"] == []


def test_means_and_differences_are_numpys(files, errors):
    found = compare.compare(*files)
    assert found["images"] == COUNT
    assert set(found["metrics"]) == set(depth.NAMES)
    one, a, b = found["metrics"]["abs_rel"], *errors
    assert one["a"] == pytest.approx(a.mean(), rel=1e-8)
    assert one["difference"] == pytest.approx((a - b).mean(), rel=1e-6)
    assert one["a_better"] == (a < b).mean()
    assert one["interval"][0] < one["difference"] < one["interval"][1]
    resampled = np.random.default_rng(0).integers(COUNT, size=(2000, COUNT))
    expected = np.quantile((a - b)[resampled].mean(axis=1), (0.025, 0.975))
    np.testing.assert_allclose(one["interval"], expected, atol=1e-8)


def test_swapping_negates(files):
    there, back = compare.compare(*files), compare.compare(*reversed(files))
    for name, one in there["metrics"].items():
        other = back["metrics"][name]
        assert other["difference"] == -one["difference"]
        assert other["interval"] == pytest.approx([-end for end in reversed(one["interval"])])
        assert other["p"] == one["p"]
        assert (other["a_better"], other["b_better"]) == (one["b_better"], one["a_better"])
    words = there["verdict"].replace("A (one)", "B (one)").replace("B (two)", "A (two)")
    assert back["verdict"] == words


def test_a_file_against_itself_shows_nothing(files):
    found = compare.compare(files[0], files[0])
    for one in found["metrics"].values():
        assert (one["difference"], one["p"], one["interval"]) == (0, 1, [0, 0])
        assert one["a_better"] == one["b_better"] == 0
    assert "no difference" in found["verdict"]


def test_the_order_of_lines_does_not_matter(files):
    expected = compare.compare(*files)
    heading, *lines = files[1].read_text().splitlines()
    shuffled = np.random.default_rng(3).permutation(lines)
    files[1].write_text("\n".join([heading, *shuffled]) + "\n")
    assert compare.compare(*files) == expected


def test_the_better_one_is_named_whichever_way_the_metric_goes(files):
    found = compare.compare(*files)
    assert found["verdict"].startswith("verdict: A (one) is better than B (two): AbsRel")
    for name in ("abs_rel", "delta1"):
        assert found["metrics"][name]["a_better"] > found["metrics"][name]["b_better"]
    assert found["metrics"]["abs_rel"]["difference"] < 0 < found["metrics"]["delta1"]["difference"]


def test_images_in_one_file_only_are_counted_and_named(tmp_path, errors):
    a, b = (_judged(name, one) for name, one in zip(("one", "two"), errors, strict=True))
    broken = replace(b.lines[0], scores={}, problem="prediction is not finite")
    files = [_write(tmp_path, a), _write(tmp_path, replace(b, lines=[broken, *b.lines[1:-2]]))]
    found = compare.compare(*files)
    assert (found["images"], found["only_a"], found["only_b"]) == (COUNT - 3, 3, 0)
    assert found["notes"] == ["3 images are judged only in one.csv: 000, 038, 039"]


def test_an_image_without_a_value_in_one_counts_for_the_other_metrics(tmp_path, errors):
    a, b = (_judged(name, one) for name, one in zip(("one", "two"), errors, strict=True))
    scores = {MODEL: {**b.lines[0].scores[MODEL], "silog": float("nan")}}
    b = replace(b, lines=[replace(b.lines[0], scores=scores), *b.lines[1:]])
    found = compare.compare(_write(tmp_path, a), _write(tmp_path, b))
    assert found["metrics"]["silog"]["images"] == COUNT - 1
    assert found["metrics"]["abs_rel"]["images"] == COUNT


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rules": DepthRules(protocol="monostep-1")}, "protocol is marigold-2024 and monostep-1"),
        ({"benchmark": {"list_sha256": "2"}}, "list_sha256 is 1 and 2"),
        ({"benchmark": {"list_sha256": "1", "crop": [1, 2]}}, r"crop is None and \[1, 2\]"),
    ],
)
def test_what_was_judged_otherwise_is_refused(tmp_path, errors, changes, words):
    files = [
        _write(tmp_path, _judged("one", errors[0])),
        _write(tmp_path, _judged("two", errors[1], **changes)),
    ]
    with pytest.raises(InputError, match=words):
        compare.compare(*files)


def test_data_that_lack_other_images_are_the_same_data(tmp_path, errors):
    about = {"list_sha256": "1", "missing": 4}
    files = [
        _write(tmp_path, _judged("one", errors[0])),
        _write(tmp_path, _judged("two", errors[1], benchmark=about)),
    ]
    assert compare.compare(*files)["images"] == COUNT


def test_another_alignment_is_a_caution(tmp_path, errors):
    rules = replace(RULES, alignment="disparity")
    files = [
        _write(tmp_path, _judged("one", errors[0])),
        _write(tmp_path, _judged("two", errors[1], rules=rules)),
    ]
    assert "not judged by the same alignment" in compare.compare(*files)["notes"][0]


def test_no_image_in_both_is_refused(tmp_path, errors):
    a = _judged("one", errors[0])
    others = [replace(line, image=f"x{line.image}") for line in a.lines]
    files = [_write(tmp_path, a), _write(tmp_path, replace(a, name="two", lines=others))]
    with pytest.raises(InputError, match="no image was judged in both"):
        compare.compare(*files)


def test_the_text_has_a_row_per_metric_and_the_verdict(files):
    found = compare.compare(*files)
    text = compare.text(found)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert text.splitlines()[-1] == found["verdict"]
    heading, *rows = text.split("\n\n")[1].splitlines()
    assert len(rows) == len(depth.NAMES)
    assert heading.endswith("images")
    assert rows[0].split()[:2] == ["AbsRel,", "%"]
    assert "A is one, B is two" in text
