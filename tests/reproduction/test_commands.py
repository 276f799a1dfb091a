from monostep.reproduction.budget import BUDGETS
from monostep.reproduction.commands import commands


def test_what_a_run_needs_is_trained_before_it():
    lines = commands(["e2e-depth-{seed}.once"], BUDGETS["cpu"]).splitlines()[1:-1]
    trained = [line.split()[4].rpartition("/")[2] for line in lines if " train " in line]
    assert trained == ["autoencoder-0", "base-0", "depth-0", "e2e-depth-0"]
    assert "--model OUT/runs/e2e-depth-0/model -o" in lines[-1]


def test_an_embedded_model_is_evaluated_and_nothing_trained():
    (line,) = commands(["depth-{seed}.trailing-1"], BUDGETS["quick"]).splitlines()[1:-1]
    assert line.startswith("monostep evaluate procedural --images 32")
    assert "--model miniature-depth --spacing trailing --steps 1" in line
