from monostep.reproduction import study
from monostep.reproduction.budget import BUDGETS
from monostep.reproduction.tables import tables


def test_every_row_is_a_trial_of_the_study():
    budget = BUDGETS["cpu"]
    known = {each.name for run in study.runs(budget) for each in study.trials(run)}
    for table in tables(budget.scenes):
        assert {row.trial.format(seed=2) for row in table.rows} <= known, table.title
