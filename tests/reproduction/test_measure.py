"""Against `evaluation.run`, which is what `monostep evaluate procedural` runs."""

import csv
import dataclasses
import io
import warnings

import micro_models
import numpy as np
import pytest
import torch

from monostep import loading
from monostep.errors import CheckpointError, InputError
from monostep.evaluation import run as evaluation
from monostep.evaluation.entrants import Entrants
from monostep.evaluation.sets.procedural import Procedural
from monostep.reproduction import measure, sampling, scenes
from monostep.reproduction.budget import BUDGETS
from monostep.reproduction.trials import ONCE, Trial, Way, sampled

BUDGET = dataclasses.replace(BUDGETS["quick"], images=3, height=24, width=32)
COLUMNS = {
    "depth": ("abs_rel", "delta1"),
    "normals": ("mean_angle_deg", "within_11.25_deg"),
}
FOUR = Way(name="four", asked={"steps": 4, "noise": "gaussian", "spacing": "trailing"})
ENSEMBLE = Way(name="ensemble", asked={**FOUR.asked, "ensemble": 3})
# Merging amplifies the last bits, in which batches differ: docs/decisions/0004.
QUICK = (("normals", "four"), ("joint", "once"))
RELATIVE = ((ONCE, 1e-4), (FOUR, 1e-4), (ENSEMBLE, 0.03))


@pytest.fixture(scope="module")
def held_out():
    return scenes.held_out(BUDGET)


def _evaluated(path, way, output):
    """Of each kind of map: names of the scenes, error, accuracy."""
    benchmark = Procedural(images=3, height=24, width=32)
    entrants = Entrants(models=[loading.load(path, device="cpu", dtype="fp32")], asked=way.asked)
    how = evaluation.How(output=output, baselines=False, workers=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluation.run(benchmark, entrants, how)
    tables = {}
    for file in output.glob("*.csv"):
        rows = list(csv.DictReader(io.StringIO(file.read_text())))
        kind = "depth" if "abs_rel" in rows[0] else "normals"
        columns = [np.array([float(row[name]) for row in rows]) for name in COLUMNS[kind]]
        tables[kind] = [row["image"] for row in rows], *columns
    return tables


def _trial(kind, way):
    return Trial(model="any", seed=0, kind=kind, way=way)


@pytest.mark.parametrize(
    ("model", "way", "relative"),
    [
        pytest.param(
            model,
            *way,
            id=f"{model}-{name}",
            marks=[] if (model, name) in QUICK else pytest.mark.slow,
        )
        for model in ("depth", "normals", "joint")
        for name, way in zip(("once", "four", "ensemble"), RELATIVE, strict=True)
    ],
)
def test_scores_are_those_of_evaluation(tmp_path, held_out, model, way, relative):
    path = tmp_path / "model"
    if model == "joint":
        micro_models.write_joint(path)
    else:
        micro_models.write(path, model)
    subject = sampling.opened(path, held_out)
    evaluated = _evaluated(path, way, tmp_path / "reports")
    assert sorted(evaluated) == sorted(subject.card.maps)
    for kind, (names, error, accuracy) in evaluated.items():
        scores = measure.measure(subject, _trial(kind, way))
        assert list(scores.names) == names
        assert scores.strata == tuple(case.stratum for case in held_out.cases)
        np.testing.assert_allclose(scores.columns["error"], error, rtol=relative)
        # A share of pixels: one of 768 may be on the other side of the threshold.
        np.testing.assert_allclose(scores.columns["accuracy"], accuracy, atol=relative + 2 / 768)
        assert (scores.columns["error"] > 0).all()


@pytest.mark.parametrize("kind", ["depth", "normals"])
def test_the_path_ends_where_the_trial_of_as_many_steps_does(tmp_path, held_out, kind, monkeypatch):
    monkeypatch.setattr(measure, "PATH", last_step := 8)  # 50 in the study
    model = "depth" if kind == "depth" else "diffusion-normals"
    subject = sampling.opened(micro_models.write(tmp_path / "model", model), held_out.first(1))
    way = Way(name="gaussian", asked={"noise": "gaussian"})
    subject = dataclasses.replace(
        subject, card=dataclasses.replace(subject.card, **way.asked, family="diffusion")
    )
    path = measure.path(subject, kind)
    assert list(path.columns) == [f"step_{step}" for step in range(1, last_step + 1)]
    last = measure.measure(subject, _trial(kind, sampled("trailing", last_step)))
    np.testing.assert_allclose(path.columns["step_8"], last.columns["error"], rtol=1e-5)
    assert not np.allclose(path.columns["step_1"], path.columns["step_8"], rtol=1e-3)


def test_a_damaged_model_is_named(tmp_path, held_out):
    subject = sampling.opened(micro_models.write(tmp_path / "model"), held_out)
    broken = dataclasses.replace(subject, latents=subject.latents * float("nan"))
    with pytest.raises(CheckpointError, match=r"micro-depth: .*not finite.*train it again"):
        measure.measure(broken, _trial("depth", ENSEMBLE))


def test_a_scene_that_cannot_be_judged_is_named(tmp_path, held_out):
    nothing = torch.zeros_like(held_out.cases[1].depth_valid)
    empty = dataclasses.replace(held_out.cases[1], depth_valid=nothing)
    cases = (held_out.cases[0], empty, held_out.cases[2])
    path = micro_models.write(tmp_path / "model")
    subject = sampling.opened(path, dataclasses.replace(held_out, cases=cases))
    with pytest.raises(InputError, match="scene 000001, depth: no valid pixel"):
        measure.measure(subject, _trial("depth", ONCE))
