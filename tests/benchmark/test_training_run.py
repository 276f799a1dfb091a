import json

import pytest

from monostep.benchmark import training_markdown, training_run
from monostep.benchmark.cases import Case
from monostep.benchmark.fleet import SubjectError
from monostep.benchmark.training_plan import TrainingWishes, plan


class Here:
    """The worker itself, without a process."""

    def __init__(self, assignment):
        self.worker = assignment.worker()

    def ask(self, method, *arguments):
        return getattr(self.worker, method)(*arguments)

    def dismiss(self):
        del self.worker


def _run(folder, hire=Here, **wishes):
    cases = [Case(size=(16, 24)), Case(size=(32, 24), batch=2)]
    wishes = TrainingWishes(device="cpu", rounds=1, **wishes)
    made = plan(str(folder), cases, wishes)
    return training_run.benchmark(made, tell=lambda _: None, hire=hire)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # diffusers deprecates at length
def test_everyone_learns_the_same_in_every_case(folder):
    report = _run(folder, against=("diffusers",), recompute="all")
    assert report["problems"] == []
    json.dumps(report, allow_nan=False)
    assert [case["image_size"] for case in report["cases"]] == [[16, 24], [32, 24]]
    for case in report["cases"]:
        assert len(case["subjects"]) == 2
        for ratio in case["ratios"]:
            assert ratio["loss_apart"] < 1e-4 and ratio["norm_apart"] < 1e-4
        for one in case["subjects"].values():
            assert one["losses"][-1] < one["losses"][0]
    text = training_markdown.document(report)
    assert "recompute all" in text and "| diffusers fp32 |" in text


def test_one_that_fails_is_a_problem(folder):
    def hire(_):
        raise SubjectError("no process")

    report = _run(folder, hire, against=())
    assert report["problems"] == [
        "16x24, batch 1: monostep fp32: no process",
        "32x24, batch 2: monostep fp32: no process",
    ]
    assert "DO NOT TRUST" in training_markdown.document(report)
