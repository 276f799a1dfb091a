import pytest

from monostep.reproduction import study, timing
from monostep.reproduction.budget import BUDGETS
from monostep.reproduction.tables import tables

WHOLE = (
    "Table 1: depth",
    "Table 2: normals",
    "Table 4: noises of E2E",
    "Table A-2: decoder",
    "Parameterisations",
    "Loss on the latent",
    "Both maps by one model",
    "Training scenes",
    "Steps and spacing: depth",
    "Steps and spacing: normals",
)
TITLES = {"cpu": WHOLE, "gpu": WHOLE, "quick": (WHOLE[0], WHOLE[-2])}


@pytest.mark.parametrize("budget", BUDGETS.values(), ids=BUDGETS)
def test_rows_are_trials_of_the_study_and_all_its_trials_are_in_a_row(budget):
    found = tables(budget)
    assert tuple(table.title for table in found) == TITLES[budget.name]
    shown = {row.trial for table in found for row in table.rows}
    scored = {each.pattern for run in study.runs(budget) for each in study.trials(run)}
    assert shown == scored


def test_every_row_with_a_time_has_one_of_its_own_map():
    known = {f"{model}.{way.name}" for model, ways in timing.WAYS.items() for way in ways}
    timed = [table for table in tables(BUDGETS["cpu"]) if table.timed]
    assert {row.timed for table in timed for row in table.rows} == known
    of_normals = [row.timed for row in timed[1].rows]
    assert of_normals and all("normals" in name for name in of_normals)
