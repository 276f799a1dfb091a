import torch

from monostep.benchmark import evaluation_markdown, machine
from monostep.benchmark.evaluation_speed import STAGES
from monostep.benchmark.evaluation_work import OURS, REFERENCE


def _case():
    seconds = {"median": 0.25, "lowest": 0.2, "highest": 0.5}
    return {
        "image_size": [4032, 6048],
        "programs": {
            name: {"seconds": dict.fromkeys(STAGES, seconds)} for name in (OURS, REFERENCE)
        },
        "ratios": {"align": 7.0, "metrics": 5.5, "whole": 6.25, "processor": 3.0},
        "largest_difference": 3e-7,
    }


def _document(problems):
    report = {
        "monostep": "1",
        "machine": machine.describe(torch.device("cpu"), 2),
        "device": "cpu",
        "order": "in turns",
        "rounds": 3,
        "cases": [_case()],
        "problems": problems,
    }
    return evaluation_markdown.document(report)


def test_the_table_has_both_ways_and_the_ratios_of_every_stage():
    heading, rows = evaluation_markdown.programs(_case())
    assert [row[0] for row in rows] == [OURS, REFERENCE, f"times as fast as {REFERENCE}"]
    assert all(len(row) == len(heading) for row in rows)
    assert rows[0][-1] == "0.2-0.5"
    assert rows[-1][1:-1] == ["7.00", "5.50", "6.25", "3.00"]


def test_the_document_names_size_rounds_and_difference():
    text = _document([])
    assert "## 4032x6048" in text and "3 rounds, in turns" in text and "3.0e-07" in text
    assert "DO NOT TRUST" not in text


def test_problems_come_first():
    text = _document(["silog differs"])
    assert text.index("DO NOT TRUST") < text.index("- silog differs") < text.index("## 4032")
