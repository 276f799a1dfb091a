"""The evaluation benchmark's report as tables that people read."""

from typing import Any

from monostep.benchmark.evaluation_speed import STAGES
from monostep.benchmark.evaluation_work import REFERENCE
from monostep.benchmark.markdown import machine_line, plain, table


def document(report: dict[str, Any]) -> str:
    """All of it as Markdown."""
    parts = [
        "# Evaluation of one image: alignment and ten metrics of depth",
        machine_line(report),
        "Seconds are medians over rounds; processor counts those of all threads.",
    ]
    if report["problems"]:
        wrong = [f"- {problem}" for problem in report["problems"]]
        parts += ["\n".join(["**DO NOT TRUST THESE NUMBERS:**", "", *wrong])]
    for case in report["cases"]:
        parts += ["## " + "x".join(map(str, case["image_size"])), table(*programs(case))]
        parts += [
            "Largest relative difference of a metric between the two: "
            f"{plain(case['largest_difference'], '{:.1e}')}."
        ]
    return "\n\n".join(parts) + "\n"


def programs(case: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: both ways, and how many times as fast ours is."""
    rows = []
    for name, one in case["programs"].items():
        medians = [f"{one['seconds'][stage]['median']:.3g}" for stage in STAGES]
        whole = one["seconds"]["whole"]
        rows.append([name, *medians, f"{whole['lowest']:.3g}-{whole['highest']:.3g}"])
    ratios = [f"{case['ratios'][stage]:.2f}" for stage in STAGES]
    rows.append([f"times as fast as {REFERENCE}", *ratios, "-"])
    return ["program", *(f"{stage}, s" for stage in STAGES), "spread of whole, s"], rows
