"""The whole benchmark: processes, cases, rounds, cold starts, and one report of plain values."""

from dataclasses import asdict, replace
from typing import Any

from monostep._version import __version__
from monostep.benchmark import case_report, cold_start, machine
from monostep.benchmark.case_report import Measured
from monostep.benchmark.cases import Case
from monostep.benchmark.cold_start import Starts
from monostep.benchmark.fleet import Fleet, Hire, Process
from monostep.benchmark.plan import Plan
from monostep.benchmark.ratios import pairwise, summary
from monostep.benchmark.rounds import Record, Tell, measure, measure_once
from monostep.benchmark.subjects import AUTO, DIFFUSERS, OURS, Subject
from monostep.benchmark.worker import Loaded

TOGETHER, APART = "in turns", "one after the other"


class Notebook:
    """What was seen of everyone, case by case."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.default = plan.default
        self.subjects: dict[str, Subject] = {}
        self.loaded: dict[str, Loaded] = {}
        self.failed: dict[str, str] = {}
        self.records: dict[Case, dict[str, Record]] = {case: {} for case in plan.cases}
        self.long: dict[Case, dict[str, dict[str, Record]]] = {case: {} for case in plan.cases}

    def work(self, fleet: Fleet, tell: Tell) -> None:
        """All cases with those who are loaded."""
        for case in self.plan.cases:
            rounds = self.plan.wishes.rounds
            self.records[case] |= measure(fleet, case, rounds=rounds, tell=tell)
            if self.plan.wishes.measure_baselines:
                self._baselines(fleet, case, tell)
        self.failed |= fleet.failed

    def _baselines(self, fleet: Fleet, case: Case, tell: Tell) -> None:
        """Many steps and members, of diffusers, as people have used it; as far as it is loaded."""
        names = [n for n in fleet.members if self.subjects[n].kind == DIFFUSERS]
        names = [n for n in names if not self.subjects[n].compiled]
        for each in self.plan.wishes.baselines:
            asked = replace(case, steps=each.steps, members=each.members, noise="gaussian")
            done = measure_once(fleet, names, asked, tell)
            self.long[case].setdefault(each.name, {}).update(done)


def benchmark(plan: Plan, *, tell: Tell, hire: Hire = Process) -> dict[str, Any]:
    """Measure all that the plan says; the report, of which `problems` must be empty.

    Args:
        plan: from `monostep.benchmark.plan`.
        tell: hears what is being done.
        hire: starts a subject's process.
    """
    notebook = Notebook(plan)
    order = TOGETHER if _together(notebook, hire, tell) else APART
    if order == APART:
        notebook = Notebook(plan)
        _apart(notebook, hire, tell)
    starts = _starts(plan, tell)
    return _report(notebook, starts, order)


def _together(notebook: Notebook, hire: Hire, tell: Tell) -> bool:
    """Everyone loaded at once; False, and nothing measured, if memory cannot hold them."""
    with Fleet(hire) as fleet:
        for subject in notebook.plan.subjects:
            if not _room(notebook.plan, subject, fleet):
                return False
            _enlist(notebook, fleet, subject, tell)
        notebook.work(fleet, tell)
    return True


def _apart(notebook: Notebook, hire: Hire, tell: Tell) -> None:
    """Everyone alone, one after the other."""
    for subject in notebook.plan.subjects:
        if subject.name in notebook.subjects:  # our default was it
            continue
        with Fleet(hire) as fleet:
            _enlist(notebook, fleet, subject, tell)
            notebook.work(fleet, tell)


def _enlist(notebook: Notebook, fleet: Fleet, subject: Subject, tell: Tell) -> None:
    plan = notebook.plan
    tell(f"{subject.name}: loads")
    name = fleet.enlist(plan.assignment(subject))
    if name is not None:
        notebook.subjects[name] = fleet.subjects[name]
        notebook.loaded[name] = fleet.loaded[name]
        if (subject.kind, subject.dtype) == (OURS, AUTO):
            notebook.default = name
    notebook.failed |= fleet.failed


def _room(plan: Plan, subject: Subject, fleet: Fleet) -> bool:
    """Whether one more can load beside those who are, and then predict."""
    free = machine.available_bytes(plan.device)
    return free is None or free >= plan.needs(subject, fleet.loaded.values())


def _starts(plan: Plan, tell: Tell) -> Starts | None:
    if not plan.wishes.cold_starts:
        return None
    return cold_start.measure(
        plan.weights,
        plan.cases[0],
        times=plan.wishes.cold_starts,
        device=str(plan.device),
        threads=plan.wishes.threads,
        with_diffusers=plan.with_diffusers,
        tell=tell,
    )


def _report(notebook: Notebook, starts: Starts | None, order: str) -> dict[str, Any]:
    plan = notebook.plan
    cases = [_case(notebook, case) for case in plan.cases]
    failed = dict(notebook.failed)
    if starts is not None:
        failed |= {f"cold start of {name}": reason for name, reason in starts.failed.items()}
    problems = [problem for case in cases for problem in case["problems"]]
    problems += [f"{name}: {reason}" for name, reason in failed.items()]
    return {
        "monostep": __version__,
        "model": plan.name,
        "weights_sha256": plan.weights_sha256,
        "task": plan.task,
        "machine": machine.describe(plan.device, plan.wishes.threads),
        "device": str(plan.device),
        "order": order,
        "rounds": plan.wishes.rounds,
        "default": notebook.default,
        "loading": {name: asdict(loaded) for name, loaded in notebook.loaded.items()},
        "cases": cases,
        "cold_start": None if starts is None else _cold(starts, plan.cases[0]),
        "notes": list(plan.notes),
        "problems": problems,
    }


def _case(notebook: Notebook, case: Case) -> dict[str, Any]:
    plan, records = notebook.plan, notebook.records[case]
    measured = Measured(
        case=case,
        steps=plan.steps,
        default=notebook.default,
        reference=plan.reference,
        pairs=plan.pairs({name: notebook.subjects[name] for name in records}, notebook.default),
        subjects=notebook.subjects,
        loaded=notebook.loaded,
        records=records,
        long=notebook.long[case],
    )
    return case_report.report(measured, list(plan.wishes.baselines))


def _cold(starts: Starts, case: Case) -> dict[str, Any]:
    """Seconds, and ours over the others'."""
    ours = starts.seconds.get(OURS)
    return {
        "image_size": list(case.size),
        "seconds": starts.seconds,
        "median": {name: summary(taken).median for name, taken in starts.seconds.items()},
        "ratios": {
            f"{OURS} / {name}": pairwise(ours, taken)
            for name, taken in starts.seconds.items()
            if ours is not None and name != OURS
        },
    }
