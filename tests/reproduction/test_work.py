import dataclasses
import functools

import micro_models
import numpy as np
import pytest

from monostep.checkpoints import folder as checkpoint
from monostep.reproduction import generation, jobs, results, study, work
from monostep.reproduction.budget import BUDGETS
from monostep.reproduction.study import Run, model_folder
from monostep.reproduction.trials import ONCE, Trial, sampled

SMALL = dataclasses.replace(BUDGETS["quick"], images=2, height=24, width=24)
DEPTH = Run(name="depth-0", recipe="miniature-depth", seed=0)
BASE = Run(name="base-0", recipe="miniature-base", seed=0)
TWO = [
    Trial(model="depth", seed=0, kind="depth", way=way) for way in (ONCE, sampled("trailing", 2))
]


@pytest.fixture
def out(tmp_path, monkeypatch):
    micro_models.write(model_folder(tmp_path, "depth-0"))
    model, _ = checkpoint.load(micro_models.write(tmp_path / "bare", inputs=4))
    checkpoint.save_base(model, model_folder(tmp_path, "base-0"))
    monkeypatch.setattr(study, "runs", lambda _: [DEPTH, BASE])
    monkeypatch.setattr(study, "trials", lambda _: TWO)
    monkeypatch.setattr(work, "BUDGETS", {"quick": SMALL})
    return tmp_path


@pytest.mark.filterwarnings("ignore::monostep.errors.MonostepWarning")
def test_every_trial_gets_a_table_and_none_a_second_one(out):
    first, second = (jobs.result(out, f"{trial.name}.csv") for trial in TWO)
    first.parent.mkdir()
    first.write_text("known already")
    work.main([str(out), "quick", jobs.SCORE, "depth-0"])
    assert first.read_text() == "known already"
    scores = results.read(second)
    assert scores.names == ("000000", "000001")
    assert np.isfinite(scores.columns["error"]).all()


def test_a_base_model_is_measured_and_drawn(out, monkeypatch):
    few = functools.partial(generation.generate, steps=(1, 2, 3, 4))
    monkeypatch.setattr(work.generation, "generate", few)
    work.main([str(out), "quick", jobs.GENERATE, "base-0"])
    scores = results.read(jobs.result(out, "base-0.generation.csv"))
    assert len(scores.columns) == 9
    assert jobs.result(out, work.SHEET).is_file()


def test_every_word_of_a_job_is_known(tmp_path):
    words = {job.words[0] for job in jobs.jobs(tmp_path, BUDGETS["cpu"]) if not job.trains}
    assert words == work.WORK.keys()
