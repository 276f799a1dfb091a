import pytest

from monostep.reproduction import study
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
