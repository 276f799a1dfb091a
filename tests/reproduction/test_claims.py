import numpy as np

from monostep.reproduction import claims, results, study
from monostep.reproduction.budget import BUDGETS
from monostep.reproduction.collected import Collected
from monostep.reproduction.margins import MARGINS

WHOLE = BUDGETS["cpu"]


def _write(folder, name, error):
    values = np.full(3, error)
    columns = {"error": values, "accuracy": values}
    scores = results.Scores(names=tuple("abc"), strata=("indoor",) * 3, columns=columns)
    (folder / study.RESULTS).mkdir(exist_ok=True)
    results.write(folder / study.RESULTS / f"{name}.csv", scores)


def test_every_margin_belongs_to_a_claim_and_nothing_is_run_in_an_empty_study(tmp_path):
    found = claims.outcomes(Collected(tmp_path, (0,)), WHOLE)
    assert {one.claim.margin for one in found} == MARGINS.keys()
    assert {one.verdict for one in found} == {"not run"}


def test_the_better_ensemble_is_the_one_to_beat(tmp_path):
    for seed in range(3):
        _write(tmp_path, f"e2e-depth-{seed}.once", 0.2)
        _write(tmp_path, f"depth-{seed}.trailing-50x10", 0.1)
        _write(tmp_path, f"depth-{seed}.leading-50x10", 0.4)
    found = claims.outcomes(Collected(tmp_path, range(3)), WHOLE)
    (whole, indoor) = [one for one in found if one.claim.letter == "d"]
    assert (whole.stratum, indoor.stratum) == ("all", "indoor")
    assert whole.under.endswith("trailing-50x10")
    assert whole.ratio.value == 2
    assert whole.verdict == "not confirmed"


def test_there_is_no_verdict_on_fewer_seeds_than_three_unless_the_budget_has_no_more(tmp_path):
    for name in ("e2e-depth-0.once", "depth-0.trailing-1"):
        _write(tmp_path, name, 0.1)
    for name in ("e2e-depth-random-0.once", "depth-0.leading-1"):
        _write(tmp_path, name, 0.4)
    for seeds, verdict in ((range(3), "inconclusive"), ((0,), "confirmed")):
        found = claims.outcomes(Collected(tmp_path, seeds), WHOLE)
        verdicts = {one.claim.margin: one.verdict for one in found if one.stratum == "indoor"}
        assert verdicts == {"a": verdict, "f-diffusion": verdict}
        assert {one.each for one in found if one.stratum == "indoor"} == {(4.0,), (0.25,)}


def test_a_quick_study_is_about_the_timestep_bug_alone(tmp_path):
    found = claims.outcomes(Collected(tmp_path, (0,)), BUDGETS["quick"])
    assert [one.claim.letter for one in found] == ["a", "b", "b", "c"]
