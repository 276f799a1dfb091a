import re

import pytest

from monostep.evaluation.papers import page as paper_page
from monostep.evaluation.papers import published
from monostep.evaluation.papers import tables as papers
from monostep.evaluation.papers.cells import unscored


@pytest.fixture
def values():
    """Table 2 with one cell scored."""
    rows = papers.rows("2")
    for row in rows:
        for cell in row["benchmarks"].values():
            cell |= unscored("no data")
    rows[2]["benchmarks"]["sintel"] |= {
        "ours": [33.54321, 21.4],
        "difference": [0.04321, -0.1],
        "within": True,
        "reason": None,
    }
    return {
        "table": "2",
        "title": "normals",
        "paper": published.PAPER,
        "rows": rows,
        "missing": ["no data of ibims: none | at all"],
        "failed": [],
    }


def test_the_page_has_the_printed_table_with_ours_in_it(values):
    page = paper_page.document(values)
    assert page.startswith("# Table 2: normals\n")
    assert published.PAPER in page
    assert "| method | NYUv2 | ScanNet | iBims-1 | Sintel | can be scored |" in page
    line = next(each for each in page.splitlines() if each.startswith("| Marigold + E2E FT |"))
    assert line.split(" | ")[1] == "16.2 / 61.4"
    assert "33.5 / 21.5 [33.54 / 21.40]" in line
    assert "mean angle, degrees / below 11.25 degrees, %" in page


def test_what_failed_is_listed_up_to_a_number(values):
    assert "## Failed" not in paper_page.document(values)
    values["failed"] = [f"dsine on ibims: i{n}: damaged" for n in range(22)]
    page = paper_page.document(values)
    assert "## Failed\n\n- dsine on ibims: i0: damaged\n" in page
    assert page.endswith("- dsine on ibims: i19: damaged\n- and 2 more, in the .json\n")


def test_a_scored_cell_has_its_difference_and_verdict(values):
    page = paper_page.document(values)
    wanted = "| Sintel | 33.5 / 21.5 | 33.54 / 21.40 | +0.04 / -0.10 | 0.1 | yes |"
    assert wanted in page
    assert wanted.strip("| ").split(" | ") == _last_line(paper_page.text(values))
    for within, word in ((False, "no"), (None, "?")):
        values["rows"][2]["benchmarks"]["sintel"]["within"] = within
        assert f"| 0.1 | {word} |" in paper_page.document(values)


def _last_line(text):
    """The cells of its last line but the method."""
    return re.split(r"\s{2,}", text.splitlines()[-1])[1:]


def test_what_is_missing_is_on_the_page_and_not_in_the_text(values):
    assert "- no data of ibims" in paper_page.document(values)
    assert "no data of ibims" not in paper_page.text(values)


def test_without_a_score_there_is_no_empty_section(values):
    values["rows"][2]["benchmarks"]["sintel"] |= unscored("no data")
    assert "## Ours" not in paper_page.document(values)


@pytest.mark.parametrize("number", list(published.TABLES))
def test_every_table_can_be_printed(number):
    rows = papers.rows(number)
    values = {"table": number, "title": "t", "paper": "p", "rows": rows}
    values |= {"missing": [], "failed": []}
    page = paper_page.document(values)
    for row in rows:
        assert f"| {row['method']} |" in page
        assert f"| {row['row']} |" in page
