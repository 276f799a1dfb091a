"""The training benchmark's report as tables that people read."""

from typing import Any

from monostep.benchmark.markdown import gib, machine_line, plain, table


def document(report: dict[str, Any]) -> str:
    """All of it as Markdown."""
    parts = [
        f"# Training {report['model']}, recompute {report['recompute']}",
        machine_line(report),
        "One step: forward, backward, clip, AdamW. Of each process the first "
        f"{report['warm_ups']} are not timed.",
    ]
    if report["problems"]:
        wrong = [f"- {problem}" for problem in report["problems"]]
        parts += ["\n".join(["**DO NOT TRUST THESE NUMBERS:**", "", *wrong])]
    parts += [f"Note: {note}." for note in report["notes"]]
    for case in report["cases"]:
        size = "x".join(map(str, case["image_size"]))
        parts += [f"## {size}, batch {case['batch_size']}", table(*subjects(case))]
        if case["ratios"]:
            parts += [table(*ratios(case))]
    return "\n\n".join(parts) + "\n"


def subjects(case: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: everyone in one case."""
    heading = [
        "program",
        "step, s",
        "spread",
        "processor, s",
        "images/s",
        "peak, GiB",
        "steps add, GiB",
    ]
    heading += ["weights, gradients, moments", "first loss", "gradient norm", "last loss"]
    rows = []
    for name, one in case["subjects"].items():
        seconds = one["seconds"]
        rows.append(
            [
                name,
                f"{seconds['median']:.3g}",
                f"{seconds['lowest']:.3g}-{seconds['highest']:.3g}",
                f"{one['processor_seconds']['median']:.3g}",
                f"{one['images_per_second']:.3g}",
                gib(one["step_peak_bytes"]),
                gib(one["grown_bytes"]),
                gib(one["kept_bytes"]),
                plain(one["first_loss"], "{:.5f}"),
                plain(one["first_norm"], "{:.4f}"),
                plain(one["losses"][-1], "{:.5f}"),
            ]
        )
    return heading, rows


def ratios(case: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: ours against the others."""
    heading = [
        "ours",
        "other",
        "times as fast",
        "processor",
        "peak memory, share",
        "steps add, share",
    ]
    heading += ["first loss, relative difference", "gradient norm"]
    return heading, [
        [
            one["ours"],
            one["other"],
            f"{one['speed']:.2f}",
            f"{one['processor']:.2f}",
            *(plain(one[name], "{:.2f}") for name in ("step_peak", "grown")),
            *(plain(one[name], "{:.1e}") for name in ("loss_apart", "norm_apart")),
        ]
        for one in case["ratios"]
    ]
