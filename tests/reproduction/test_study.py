from pathlib import Path

import pytest

from monostep.checkpoints import embedded
from monostep.recipes import recipe
from monostep.reproduction import study
from monostep.reproduction.budget import BUDGETS
from monostep.training.overriding import override

FOLDER = Path("OUT")
TRAINED = [budget for budget in BUDGETS.values() if not budget.model]


@pytest.mark.parametrize("budget", TRAINED, ids=lambda budget: budget.name)
def test_every_run_is_a_command_of_the_trainer(budget):
    for run in study.runs(budget):
        name, output, folder, *settings = run.arguments(FOLDER, budget)
        config = override(recipe(name), [each for each in settings if each != "--set"])
        assert (output, folder) == ("-o", f"OUT/runs/{run.name}")
        assert config.seed == run.seed
        assert config.device == budget.device


@pytest.mark.parametrize("budget", BUDGETS.values(), ids=BUDGETS)
def test_every_run_stands_behind_those_that_it_needs(budget):
    seen: set[str] = set()
    for run in study.runs(budget):
        assert set(run.needs) <= seen, run.name
        assert run.name not in seen
        named = {value.strip("{}") for value in run.settings.values() if value.startswith("{")}
        assert named <= set(run.needs), run.name
        seen.add(run.name)


def test_seeds_have_nothing_in_common():
    runs = {run.name: run for run in study.runs(BUDGETS["cpu"])}
    for run in runs.values():
        for need in run.needs:
            assert runs[need].seed == run.seed


def test_compared_runs_differ_in_what_is_compared_alone():
    runs = {run.name: run for run in study.runs(BUDGETS["cpu"])}

    def changed(one, other):
        return set(runs[one].settings.items()) ^ set(runs[other].settings.items())

    assert {name for name, _ in changed("e2e-depth-1", "e2e-depth-gaussian-1")} == {"noise"}
    assert {name for name, _ in changed("e2e-depth-1", "e2e-depth-decoder-1")} == {"train_decoder"}
    assert {name for name, _ in changed("e2e-depth-base-1", "e2e-depth-base-1k-1")} == {"scenes"}
    assert changed("e2e-depth-1", "latent-depth-1") == set()
    assert recipe("miniature-latent").steps == recipe("miniature-e2e-depth").steps


def test_all_that_is_measured_has_a_name_of_its_own():
    runs = study.runs(BUDGETS["cpu"])
    names = [trial.name for run in runs for trial in study.trials(run)]
    assert len(set(names)) == len(names)
    assert {trial.run for run in runs for trial in study.trials(run)} <= {run.name for run in runs}


def test_what_is_embedded_is_measured_in_its_place():
    (run,) = study.runs(BUDGETS["quick"])
    assert study.source(FOLDER, run) == embedded.locate("miniature-depth")
    (trained,) = (each for each in study.runs(BUDGETS["cpu"]) if each.name == run.name)
    assert study.trials(run) == study.trials(trained)
    assert study.source(FOLDER, trained) == FOLDER / "runs" / "depth-0" / "model"
