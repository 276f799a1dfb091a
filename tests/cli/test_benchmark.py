"""The whole way through real processes, tiny; times are never judged."""

import json

import pytest
from typer.testing import CliRunner

from monostep.benchmark import evaluation_speed, run, training_run
from monostep.cli import app
from monostep.errors import SettingError


def _invoke(*arguments):
    result = CliRunner().invoke(app, ["benchmark", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.mark.slow
def test_random_weights_through_processes_into_files(tmp_path):
    result = _invoke(
        *("--size", "tiny", "--keep", tmp_path / "w", "--image-size", "32x48", "--repeat", 1),
        *("--against", "unfolded", "--cold-start", 0, "--threads", 1, "--baseline", "50x10"),
        *("--device", "cpu", "-o", tmp_path / "b.json", "--markdown", tmp_path / "b.md"),
    )
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "b.json").read_text())
    (case,) = report["cases"]
    assert case["subjects"]["unfolded fp32"]["difference"]["largest"] <= 1e-4
    assert case["subjects"]["monostep fp32"]["multiply_adds"]["whole"] > 0
    assert [one["other"] for one in case["ratios"]] == ["unfolded fp32"]
    assert report["problems"] == [] and report["cold_start"] is None
    assert report["machine"]["threads"] == 1
    assert (tmp_path / "b.md").read_text().strip() in result.stdout
    assert (tmp_path / "w" / "unet" / "config.json").exists()


@pytest.fixture
def measured(monkeypatch):
    """The plans that would have been measured; the report has whatever problems are put here."""
    plans, problems = [], []

    def benchmark(planned, **_):
        plans.append(planned)
        return {"problems": list(problems), "cases": []}

    monkeypatch.setattr(run, "benchmark", benchmark)
    return plans, problems


def test_options_arrive_in_the_plan(measured):
    plans, _ = measured
    result = _invoke(
        *("--size", "tiny", "--task", "normals", "--image-size", "64x32", "--image-size", "8x8"),
        *("--batch-size", 1, "--batch-size", 2, "--dtype", "bf16,fp32", "--against", "none"),
        *("--steps", 4, "--compile", "--repeat", 7, "--cold-start", 2, "--baseline", "50x10"),
        *("--measure-baseline", "--threads", 3, "--device", "cpu", "--json"),
    )
    (planned,) = plans
    assert json.loads(result.stdout)["problems"] == []
    assert [(case.size, case.batch, case.steps) for case in planned.cases] == [
        ((8, 8), 1, 4),
        ((8, 8), 2, 4),
        ((64, 32), 1, 4),
        ((64, 32), 2, 4),
    ]
    assert (planned.task, planned.with_diffusers) == ("normals", False)
    wishes = planned.wishes
    assert (wishes.dtypes, wishes.compiled, wishes.rounds) == (("bf16", "fp32"), True, 7)
    assert (wishes.cold_starts, wishes.threads, wishes.measure_baselines) == (2, 3, True)
    assert wishes.baselines[0].name == "50x10"


def test_problems_are_exit_1_and_a_line_each(measured):
    _, problems = measured
    problems.append("diffusers fp32 differs from monostep fp32 by 3.0e-04")
    result = _invoke("--model", "nano-depth", "--against", "none", "--json")
    assert result.exit_code == 1
    assert "monostep: diffusers fp32 differs" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--image-size", "30x50"], "divisible by 8"),
        (["--image-size", "big"], "HEIGHTxWIDTH"),
        (["--baseline", "50"], "STEPSxMEMBERS"),
        (["--size", "huge"], "--size huge: choose of sd2, nano, tiny"),
        (["--size", "tiny", "--task", "flow"], "--task flow"),
        (["--model", "nano-depth", "--size", "tiny"], "exclude each other"),
        (["--model", "nano-depth", "--against", "midas"], "--against midas"),
        (["--model", "nano-depth", "--dtype", "int3"], "--dtype int3"),
        (["--model", "nano-depth", "--dtype", ""], "--dtype"),
        (["--model", "nano-depth", "--repeat", "0"], "--repeat 0"),
        (["--joint", "--model", "nano-depth"], "--model: it is for the benchmark without --joint"),
        (["--joint", "--steps", "4"], "--steps: it is for the benchmark without --joint"),
        (["--joint", "--training"], "--training: it is for the benchmark without --joint"),
        (["--joint", "--size", "huge"], "--size huge"),
    ],
)
def test_mistakes_are_told_before_anything_runs(measured, arguments, said):
    with pytest.raises(SettingError, match=said):
        _invoke(*arguments)
    assert measured[0] == []


@pytest.mark.slow
def test_training_through_processes_into_files(tmp_path):
    result = _invoke(
        *("--training", "--size", "tiny", "--image-size", "32x48", "--repeat", 1, "--threads", 1),
        *("--recompute", "all", "--against", "diffusers,diffusers-tuned", "--device", "cpu"),
        *("--warm-up", 0, "-o", tmp_path / "b.json", "--markdown", tmp_path / "b.md"),
    )
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "b.json").read_text())
    (case,) = report["cases"]
    assert [one["other"] for one in case["ratios"]] == ["diffusers fp32", "diffusers-tuned fp32"]
    assert report["problems"] == [] and report["recompute"] == "all"
    assert (tmp_path / "b.md").read_text().strip() in result.stdout


@pytest.fixture
def trained(monkeypatch):
    """The plans of training that would have been measured."""
    plans = []

    def benchmark(planned, **_):
        plans.append(planned)
        return {"problems": ["not the same work"], "cases": []}

    monkeypatch.setattr(training_run, "benchmark", benchmark)
    return plans


def test_options_of_training_arrive_in_its_plan(trained):
    result = _invoke(
        *("--training", "--size", "tiny", "--image-size", "8x16", "--batch-size", 2),
        *("--dtype", "bf16", "--against", "none", "--recompute", "unet", "--repeat", 7),
        *("--warm-up", 0, "--threads", 3, "--device", "cpu", "--json"),
    )
    (planned,) = trained
    assert [subject.name for subject in planned.subjects] == ["monostep bf16"]
    assert [(case.size, case.batch) for case in planned.shared.cases] == [((8, 16), 2)]
    wishes = planned.wishes
    assert (wishes.recompute, wishes.rounds, wishes.warm_ups, wishes.threads) == ("unet", 7, 0, 3)
    assert result.exit_code == 1
    assert "monostep: not the same work" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--training", "--steps", "4"], "--steps: it is for the benchmark without --training"),
        (["--training", "--compile"], "--compile: it is for the benchmark without"),
        (["--training", "--cold-start", "0"], "--cold-start: it is for the benchmark without"),
        (["--training", "--baseline", "50x10"], "--baseline: it is for the benchmark without"),
        (["--recompute", "all"], "--recompute: it is for the benchmark with --training"),
        (["--warm-up", "1"], "--warm-up: it is for the benchmark with --training"),
        (["--training", "--size", "tiny", "--task", "normals", "--against", "none"], "normals"),
        (["--training", "--size", "tiny", "--recompute", "half"], "--recompute half"),
    ],
)
def test_what_training_does_not_know_is_refused(trained, arguments, said):
    with pytest.raises(SettingError, match=said):
        _invoke(*arguments)
    assert trained == []


def test_evaluation_into_files(tmp_path):
    result = _invoke(
        *("--evaluation", "--image-size", "64x96", "--image-size", "256x384", "--repeat", 1),
        *("-o", tmp_path / "b.json", "--markdown", tmp_path / "b.md"),
    )
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "b.json").read_text())
    assert [case["image_size"] for case in report["cases"]] == [[64, 96], [256, 384]]
    assert report["problems"] == [] and report["command"].startswith("monostep")
    assert (tmp_path / "b.md").read_text().strip() in result.stdout


def test_evaluation_is_of_the_largest_images_unless_told(monkeypatch):
    asked = []

    def benchmark(sizes, **options):
        asked.append((sizes, options["rounds"], options["threads"]))
        return {"problems": ["not the same work"], "cases": []}

    monkeypatch.setattr(evaluation_speed, "benchmark", benchmark)
    result = _invoke("--evaluation", "--threads", 2, "--json")
    assert asked == [([(4032, 6048)], 5, 2)]
    assert result.exit_code == 1
    assert "monostep: not the same work" in result.stderr


@pytest.mark.parametrize(
    "option",
    [
        ("--model", "nano-depth"),
        ("--dtype", "bf16"),
        ("--training",),
        ("--batch-size", "2"),
        ("--against", "none"),
        ("--device", "cpu"),
        ("--warm-up", "1"),
    ],
)
def test_what_evaluation_does_not_know_is_refused(option):
    said = f"^{option[0]}: it is for the benchmark without --evaluation$"
    with pytest.raises(SettingError, match=said):
        _invoke("--evaluation", *option)


@pytest.mark.parametrize("option", ["--repeat", "--threads"])
def test_evaluation_needs_one_of_each(option):
    with pytest.raises(SettingError, match=f"{option} 0: expected a whole number from 1 up"):
        _invoke("--evaluation", option, 0)


@pytest.mark.slow
def test_a_joint_model_against_two_through_processes_into_files(tmp_path):
    result = _invoke(
        *("--joint", "--size", "tiny", "--image-size", "32x48", "--repeat", 1, "--threads", 1),
        *("--device", "cpu", "--keep", tmp_path / "w", "-o", tmp_path / "b.json"),
    )
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "b.json").read_text())
    (case,) = report["cases"]
    assert [one["other"] for one in case["ratios"]] == ["two models fp32", "joint unfolded fp32"]
    for each in case["subjects"]["joint fp32"]["difference_by_map"].values():
        assert each["largest"] <= 1e-4
    assert report["problems"] == []
    assert (tmp_path / "w" / "geometry" / "image_encoder" / "config.json").exists()
