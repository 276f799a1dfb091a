import numpy as np
import pytest

from monostep.files.atomic import read_json, write_json
from monostep.reproduction import jobs, plan, report, results, study
from monostep.reproduction.budget import BUDGETS
from monostep.reproduction.results import Scores

BUDGET = BUDGETS["cpu"]


def _scores(columns, seed=0):
    values = np.random.default_rng(seed).uniform(0.1, 0.2, (len(columns), 6))
    return Scores(
        names=tuple("abcdef"),
        strata=("indoor", "outdoor", "object") * 2,
        columns=dict(zip(columns, values, strict=True)),
    )


def _fill(folder):
    target = folder / study.RESULTS
    target.mkdir(parents=True)
    for run in study.runs(BUDGET):
        for trial in study.trials(run):
            results.write(target / f"{trial.name}.csv", _scores(results.SCORED, run.seed))
        if study.is_diffusion(run):
            steps = [f"step_{k}" for k in range(1, 51)]
            results.write(target / f"{run.name}.path.csv", _scores(steps))
        if study.is_base(run):
            kinds = [f"{s}_{k}" for s in ("leading", "trailing") for k in (1, 10, 25, 50)]
            kinds.append("held_out")
            results.write(target / f"{run.name}.generation.csv", _scores(kinds))
    write_json(target / "memory.json", {"sd2": {"1": 10, "2": 20, "4": 40}})


@pytest.fixture
def undrawn(monkeypatch):
    monkeypatch.setattr(report.figures, "draw", lambda *_arguments, **_named: [])


def test_an_empty_study_has_a_report_that_says_so(tmp_path):
    report.write(tmp_path, BUDGET, tmp_path / "out.md")
    text = (tmp_path / "out.md").read_text()
    assert "**not run**" in text
    assert "whole are the seeds (none). With fewer than 3 a comparison" in text
    assert "**confirmed**" not in text


@pytest.mark.parametrize("part", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_study_in_part_or_whole_has_a_report(tmp_path, part):
    _fill(tmp_path)
    if part:
        (tmp_path / study.RESULTS / "depth-1.trailing-1.csv").unlink()
        (tmp_path / study.RESULTS / "latent-depth-0.once.csv").unlink()
    report.write(tmp_path, BUDGET, tmp_path / "out.md")
    text = (tmp_path / "out.md").read_text()
    assert "**not run**" not in text
    assert ("**Not at its end**: whole are the seeds 2." in text) is part
    assert "| m | 2 calls" in text
    assert all(each.stat().st_size < 60_000 for each in (tmp_path / "out").glob("*.png"))
    assert len(list((tmp_path / "out").glob("*.png"))) == 5


def test_margins_that_changed_after_the_beginning_are_said(tmp_path):
    plan.begin(tmp_path, BUDGET)
    report.write(tmp_path, BUDGET, tmp_path / "out.md")
    assert "the study began on 2" in (tmp_path / "out.md").read_text()
    assert "they were others" not in (tmp_path / "out.md").read_text()
    path = tmp_path / plan.FILE
    write_json(path, {**read_json(path), "margins": {"a": {"least": 1.5, "most": None}}})
    report.write(tmp_path, BUDGET, tmp_path / "out.md")
    assert "**when they were others**" in (tmp_path / "out.md").read_text()


@pytest.mark.usefixtures("undrawn")
def test_a_report_elsewhere_keeps_all_that_it_says(tmp_path):
    folder, page, kept = tmp_path / "study", tmp_path / "docs" / "page.md", tmp_path / "docs/page"
    plan.begin(folder, BUDGET)
    _fill(folder)
    report.write(folder, BUDGET, page)
    first = page.read_text()
    report.write(kept, BUDGET, page)
    assert page.read_text() == first
    assert "`page/results`" in first
    assert plan.begun(kept) == plan.begun(folder)
    left = jobs.missing(jobs.jobs(kept, BUDGET))
    assert {job.name for job in left if not job.trains} == {"deviation", "timing"}


@pytest.mark.usefixtures("undrawn")
def test_a_report_in_the_studys_folder_copies_nothing(tmp_path):
    _fill(tmp_path)
    report.write(tmp_path, BUDGET, tmp_path / "page.md")
    assert not (tmp_path / "page" / study.RESULTS).exists()
    assert "All scores, scene by scene" not in (tmp_path / "page.md").read_text()
