"""The whole training benchmark: cases, rounds, and one report of plain values."""

from typing import Any

from monostep._version import __version__
from monostep.benchmark import machine, training_report
from monostep.benchmark.fleet import Hire, Process
from monostep.benchmark.rounds import Tell
from monostep.benchmark.training_plan import TrainingPlan
from monostep.benchmark.training_report import Learned
from monostep.benchmark.training_rounds import measure

TOGETHER, APART = "in turns", "in turns, each time in a new process"


def benchmark(plan: TrainingPlan, *, tell: Tell, hire: Hire = Process) -> dict[str, Any]:
    """Measure all that the plan says; the report, of which `problems` must be empty.

    Args:
        plan: from `monostep.benchmark.training_plan`.
        tell: hears what is being done.
        hire: starts a subject's process.
    """
    wishes, shared = plan.wishes, plan.shared
    names = {subject.name: subject for subject in plan.subjects}
    cases, again = [], False
    for case in shared.cases:
        courses, failed = measure(
            plan.assignments(case),
            rounds=wishes.rounds,
            warm_ups=wishes.warm_ups,
            hire=hire,
            tell=tell,
        )
        again = again or any(course.processes > 1 for course in courses.values())
        learned = Learned(case=case, subjects=names, courses=courses, failed=failed)
        cases.append(training_report.report(learned))
    return {
        "monostep": __version__,
        "model": shared.name,
        "task": shared.task,
        "recompute": wishes.recompute,
        "warm_ups": wishes.warm_ups,
        "machine": machine.describe(shared.device, wishes.threads),
        "device": str(shared.device),
        "order": APART if again else TOGETHER,
        "rounds": wishes.rounds,
        "cases": cases,
        "notes": list(shared.notes),
        "problems": [problem for case in cases for problem in case["problems"]],
    }
