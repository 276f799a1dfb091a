import pytest

from monostep.benchmark import training_markdown


@pytest.fixture
def report():
    one = {
        "seconds": {"median": 123.45, "lowest": 100.0, "highest": 200.0},
        "processor_seconds": {"median": 234.5, "lowest": 1.0, "highest": 500.0},
        "images_per_second": 0.0081,
        "step_peak_bytes": 14 * 2**30,
        "grown_bytes": None,
        "kept_bytes": 13 * 2**30,
        "first_loss": 0.123456,
        "first_norm": 4.5,
        "losses": [0.123456, None],
    }
    ratio = {
        "ours": "monostep fp32",
        "other": "diffusers fp32",
        "speed": 1.234,
        "processor": 1.1,
        "step_peak": 0.9,
        "grown": None,
        "loss_apart": 2e-7,
        "norm_apart": None,
    }
    case = {
        "image_size": [480, 640],
        "batch_size": 1,
        "subjects": {"monostep fp32": one},
        "ratios": [ratio],
    }
    machine = {
        "gpu": None,
        "cpu": "A Chip",
        "cores": 2,
        "threads": 2,
        "memory_bytes": 2**30,
        "cpu_capability": "AVX512",
        "cpu_half_precision": [],
        "torch": "2.13",
        "diffusers": None,
    }
    return {
        "monostep": "1.2.3",
        "model": "a model",
        "recompute": "all",
        "warm_ups": 1,
        "device": "cpu",
        "rounds": 5,
        "order": "in turns",
        "machine": machine,
        "notes": ["without diffusers: why"],
        "problems": [],
        "cases": [case],
    }


def test_machine_sizes_numbers_and_ratios_are_named(report):
    text = training_markdown.document(report)
    assert text.startswith("# Training a model, recompute all\n")
    assert "A Chip, 2 cores" in text and "Note: without diffusers: why." in text
    assert "## 480x640, batch 1" in text
    row = "| 123 | 100-200 | 234 | 0.0081 | 14.00 | - | 13.00 | 0.12346 | 4.5000 | - |"
    assert row in text
    assert "| monostep fp32 | diffusers fp32 | 1.23 | 1.10 | 0.90 | - | 2.0e-07 | - |" in text


def test_problems_come_first_and_a_lone_program_has_no_ratios(report):
    report["problems"] = ["not the same work"]
    report["cases"][0]["ratios"] = []
    text = training_markdown.document(report)
    assert text.index("DO NOT TRUST") < text.index("## 480x640")
    assert "times as fast" not in text
