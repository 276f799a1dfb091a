import dataclasses

import pytest
import torch
from toy_benchmark import Toy

from monostep.evaluation import scores
from monostep.evaluation.baselines import Baselines
from monostep.evaluation.judge import Prediction, aligned, judge, judge_baselines, unjudgeable
from monostep.evaluation.scores import EMPTY, MODEL, PRIMARY


def _truth(case, task):
    return case.depth_m if task == "depth" else case.normals


def _judge(toy, task, change=lambda values: values, case=None):
    case = case or toy.load(0)
    prediction = Prediction(values=change(_truth(case, task).clone()))
    return judge(prediction, case, toy.rules[task], rivals={})


@pytest.mark.parametrize("task", ["depth", "normals"])
@pytest.mark.parametrize("boundaries", [True, False])
def test_the_truth_is_perfect_and_has_every_metric(task, boundaries):
    toy = Toy(boundaries=boundaries)
    line = _judge(toy, task).line
    assert line.problem is None
    assert tuple(line.scores[MODEL]) == scores.names(toy.rules[task])
    assert line.scores[MODEL][PRIMARY[task]] == pytest.approx(0, abs=1e-5)
    assert line.pixels == int(toy.load(0).depth_valid.sum())
    assert (line.image, line.stratum) == ("out/000.png", "outdoor")


def test_depth_knows_neither_scale_nor_shift():
    noise = 0.1 * torch.randn(16, 24)
    one = _judge(Toy(), "depth", lambda depth: depth + noise).line.scores[MODEL]
    other = _judge(Toy(), "depth", lambda depth: 0.1 * (depth + noise) - 3).line.scores[MODEL]
    assert one["abs_rel"] > 1e-3
    assert other == pytest.approx(one, rel=1e-4)


def test_what_stands_at_invalid_pixels_does_not_matter():
    case = Toy().load(0)
    holes = torch.where(case.depth_valid, case.depth_m, 0)
    whole = _judge(Toy(), "depth", lambda depth: depth**2, case)
    hollow = judge(
        Prediction(values=case.depth_m**2),
        dataclasses.replace(case, depth_m=holes),
        Toy().rules["depth"],
        rivals={},
    )
    assert whole.line == hollow.line


@pytest.mark.parametrize("task", ["depth", "normals"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda values: values[..., 1:], "23x16 pixels, the truth 24x16"),
        (lambda values: values.index_fill(-1, torch.tensor([0]), torch.nan), "not finite"),
        (lambda values: values.index_fill(-1, torch.tensor([0]), torch.inf), "not finite"),
    ],
)
def test_a_map_that_cannot_be_judged_is_a_problem(task, change, words):
    line = _judge(Toy(), task, change).line
    assert words in line.problem
    assert line.scores == {}
    assert line.pixels == 0


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("boundaries", [True, False])
@pytest.mark.parametrize("task", ["depth", "normals"])
def test_what_is_not_finite_matters_only_where_it_is_judged(task, boundaries, bad):
    toy = Toy(boundaries=boundaries)
    case = toy.load(0)
    valid = case.depth_valid.clone()
    valid[:5] = False
    case = dataclasses.replace(case, depth_valid=valid, normals_valid=valid)
    usual = _judge(toy, task, case=case).line
    found = _judge(toy, task, lambda values: torch.where(valid, values, bad), case).line
    assert found.problem is None
    assert found.scores[MODEL] == pytest.approx(usual.scores[MODEL], rel=1e-12, nan_ok=True)
    few = valid.clone()
    few[tuple(valid.nonzero()[3])] = False
    line = _judge(toy, task, lambda values: torch.where(few, values, bad), case).line
    assert line.problem == f"prediction is not finite at 1 of {int(valid.sum())} judged pixels"


@pytest.mark.parametrize(
    ("task", "wrong"),
    [("depth", 0.0), ("depth", torch.inf), ("depth", -1.0), ("normals", torch.nan)],
)
def test_truth_that_is_none_is_a_problem_of_its_image(task, wrong):
    """A mask that claims pixels without truth: no mean may swallow what comes of it."""
    toy = Toy(boundaries=True)
    case = toy.load(0)
    perfect = _truth(case, task)
    place = tuple(case.depth_valid.nonzero()[3])
    truth = perfect.clone()
    truth[..., place[0], place[1]] = wrong
    name = "depth_m" if task == "depth" else "normals"
    line = _judge(toy, task, lambda _: perfect, dataclasses.replace(case, **{name: truth})).line
    assert "0 or below, or not finite, at 1 of" in line.problem
    assert line.scores == {}


def test_a_score_that_is_no_number_is_a_problem_of_its_image():
    toy = Toy()
    endless = dataclasses.replace(toy.rules["depth"], alignment="none", far_m=torch.inf)
    case = toy.load(0)
    line = judge(Prediction(values=case.depth_m.double() * 1e200), case, endless, rivals={}).line
    assert line.problem.startswith("sq_rel is inf: the prediction is too large")
    assert line.scores == {}


def test_boundaries_may_have_no_value():
    toy = Toy(boundaries=True)
    case = dataclasses.replace(toy.load(0), depth_m=torch.full((16, 24), 3.0))
    line = _judge(toy, "depth", case=case).line
    assert line.problem is None
    assert line.scores[MODEL]["boundary_f1"] != line.scores[MODEL]["boundary_f1"]


@pytest.mark.parametrize("task", ["depth", "normals"])
def test_an_empty_mask_and_absent_truth_are_problems(task):
    toy = Toy(empty=(0,))
    assert _judge(toy, task).line.problem == EMPTY
    assert unjudgeable(toy.load(1), toy.rules[task]) is None
    other = "normals" if task == "depth" else "depth"
    case = Toy(tasks=(other,)).load(0)
    assert unjudgeable(case, Toy().rules[task]) == f"no true {task}"


def test_angles_are_kept_where_they_are_pooled():
    pooled, single = Toy(pooled=True), Toy()
    assert _judge(single, "normals").angle_deg is None
    kept = _judge(pooled, "normals")
    assert len(kept.angle_deg) == kept.line.pixels
    assert kept.line == _judge(single, "normals").line


@pytest.mark.parametrize("task", ["depth", "normals"])
def test_baselines_stand_beside_the_model(task):
    toy = Toy()
    case = toy.load(0)
    rivals = judge_baselines(case, toy.rules[task], Baselines())
    assert set(rivals) == ({"constant", "row"} if task == "depth" else {"facing"})
    line = judge(Prediction(values=_truth(case, task)), case, toy.rules[task], rivals=rivals).line
    assert set(line.scores) == {MODEL, *rivals}
    assert all(one[PRIMARY[task]] > 0.1 for one in rivals.values())


def test_baselines_get_metres_whatever_alignment_the_model_has():
    toy = Toy()
    strict = dataclasses.replace(toy.rules["depth"], alignment="none")
    case = toy.load(0)
    assert judge_baselines(case, strict, Baselines()) == judge_baselines(
        case, toy.rules["depth"], Baselines()
    )


def test_aligned_depth_is_the_one_that_is_judged():
    toy = Toy()
    case = toy.load(0)
    metres = aligned(Prediction(values=0.1 * case.depth_m + 7), case, toy.rules["depth"])
    torch.testing.assert_close(metres.float(), case.depth_m, rtol=1e-4, atol=1e-4)
