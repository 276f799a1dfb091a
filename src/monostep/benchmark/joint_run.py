"""One pass of a joint model against two of two models: the whole benchmark, and its tables."""

from typing import Any

from monostep.benchmark import markdown, run
from monostep.benchmark.fleet import Hire, Process
from monostep.benchmark.joint_plan import JointPlan
from monostep.benchmark.joint_program import JOINT, TWO
from monostep.benchmark.rounds import Tell


def benchmark(plan: JointPlan, *, tell: Tell, hire: Hire = Process) -> dict[str, Any]:
    """Measure all that the plan says; the report, of which `problems` must be empty."""
    disk = plan.disk_bytes
    return run.benchmark(plan, tell=tell, hire=hire) | {
        "disk_bytes": {kind: disk[kind] for kind in (JOINT, TWO)},
        "disk_share": disk[JOINT] / disk[TWO],
    }


def document(report: dict[str, Any]) -> str:
    """All of it as Markdown."""
    rows = [[kind, markdown.gib(count)] for kind, count in report["disk_bytes"].items()]
    rows.append([f"{JOINT} / {TWO}", f"{report['disk_share']:.2f}"])
    heading = ["weights in files, float32", "GiB"]
    return f"{markdown.document(report)}\n{markdown.table(heading, rows)}\n"
