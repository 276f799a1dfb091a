from monostep.reproduction.budget import BUDGETS


def test_budgets_carry_their_names_and_whole_ones_have_three_seeds():
    assert all(each.name == name for name, each in BUDGETS.items())
    assert all(len(BUDGETS[name].seeds) >= 3 for name in ("cpu", "gpu"))
