import pytest

from monostep.benchmark import markdown


@pytest.fixture
def report():
    times = {"median": 1234.5, "lowest": 1000.0, "highest": 2000.0}
    one = {
        "dtype": "bf16",
        "compiled": False,
        "is_default": True,
        "image_size": [384, 512],
        "milliseconds": {"encode": times, "whole": times},
        "images_per_second": 0.81,
        "peak_bytes": 3 * 2**30,
        "predict_peak_bytes": None,
        "multiply_adds": {"whole": 3_848_000_000_000},
        "share_of_matrix_product": 0.5,
        "difference": {"largest": 0.002, "mean": 0.0001, "spread": 0.2},
    }
    rival = one | {"is_default": False, "image_size": [378, 518], "difference": None}
    ratio = {
        "name": "default against default",
        "ours": "monostep bf16",
        "other": "diffusers fp32",
        "speed": {"whole": 2.345},
        "multiply_adds": None,
        "peak": 0.5,
        "load_peak": None,
        "predict_peak": 0.25,
    }
    baseline = {
        "baseline": "50x10",
        "subject": "diffusers fp32",
        "computed_seconds": 7220.0,
        "measured_seconds": None,
        "computed_ratio_to_default": 164.0,
        "measured_ratio_to_default": None,
        "measured_of_computed": None,
    }
    return {
        "monostep": "1.2.3",
        "model": "a model",
        "task": "depth",
        "device": "cpu",
        "rounds": 5,
        "order": "in turns",
        "machine": {
            "gpu": None,
            "cpu": "A Chip",
            "cores": 2,
            "threads": 2,
            "memory_bytes": 2**30,
            "cpu_capability": "AVX512",
            "cpu_half_precision": [],
            "torch": "2.13",
            "diffusers": None,
        },
        "problems": [],
        "notes": ["without diffusers: it is not installed"],
        "loading": {
            "monostep bf16": {
                "import_seconds": 0,
                "load_seconds": 9,
                "peak_bytes": None,
                "weight_bytes": 2**29,
            }
        },
        "cases": [
            {
                "image_size": [384, 512],
                "batch_size": 1,
                "steps": 1,
                "subjects": {"monostep bf16": one, "dpt-large bf16": rival},
                "matrix_product": {"bf16": {"median": 2.5e11}},
                "ratios": [ratio],
                "baselines": [baseline],
            }
        ],
        "cold_start": {"median": {"monostep": 4.0}, "ratios": {"monostep / import torch": 1.5}},
    }


def test_all_tables_are_well_formed(report):
    lines = markdown.document(report).splitlines()
    for number, line in enumerate(lines):
        if line.startswith("| ---"):
            rows = [lines[number - 1], line]
            for row in lines[number + 1 :]:
                if not row.startswith("|"):
                    break
                rows.append(row)
            assert len(rows) > 2
            assert len({row.count("|") for row in rows}) == 1


def test_it_names_machine_order_and_what_is_not_as_asked(report):
    text = markdown.document(report)
    assert "A Chip, 2 cores, 2 threads" in text and "no half precision" in text
    assert "5 rounds, in turns, on cpu" in text
    assert "dpt-large bf16 at 378x518" in text
    assert "monostep bf16 (default)" in text
    assert "| 1234 |" in text.replace("1235", "1234")
    assert "Note: without diffusers: it is not installed." in text
    assert "DO NOT TRUST" not in text


def test_problems_come_before_every_number(report):
    report["problems"] = ["diffusers fp32 differs"]
    text = markdown.document(report)
    assert text.index("DO NOT TRUST THESE NUMBERS") < text.index("images/s")
    assert "- diffusers fp32 differs" in text


def test_a_computed_baseline_is_marked_so(report):
    _, (row,) = markdown.baselines(report["cases"][0])
    assert row == ["50x10", "diffusers fp32", "7.22e+03", "computed", "164", "-"]
    measured = {"measured_seconds": 7000.0, "measured_ratio_to_default": 159.0}
    report["cases"][0]["baselines"][0] |= measured | {"measured_of_computed": 0.97}
    _, (row,) = markdown.baselines(report["cases"][0])
    assert row[2:] == ["7e+03", "measured", "159", "0.97"]


def test_unknown_is_a_dash(report):
    _, rows = markdown.ratios(report["cases"][0])
    assert rows[0][3:] == ["2.35", "-", "-", "-", "-", "0.50", "-", "0.25"] or rows[0][3] == "2.34"


def test_without_cold_starts_there_is_no_such_table(report):
    report["cold_start"] = None
    assert "Cold start" not in markdown.document(report)
