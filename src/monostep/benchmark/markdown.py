"""The report as tables that people read."""

from collections.abc import Iterable, Sequence
from typing import Any

from monostep.benchmark.stopwatch import STAGES, WHOLE


def document(report: dict[str, Any]) -> str:
    """All of it as Markdown."""
    parts = [f"# {report['model']}, {report['task']}", machine_line(report)]
    if report["problems"]:
        wrong = [f"- {problem}" for problem in report["problems"]]
        parts += ["\n".join(["**DO NOT TRUST THESE NUMBERS:**", "", *wrong])]
    parts += [f"Note: {note}." for note in report["notes"]]
    for case in report["cases"]:
        parts += _case(case)
    parts += ["## Loading", table(*loading(report))]
    if report["cold_start"]:
        parts += ["## Cold start, from the start of the process to its end", *_cold(report)]
    return "\n\n".join(parts) + "\n"


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table whose first column is text and whose others are numbers."""
    lines = [heading, ["---", *["---:"] * (len(heading) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def subjects(case: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: everyone in one case."""
    heading = ["program", *(f"{stage}, ms" for stage in (*STAGES, WHOLE)), "spread"]
    heading += ["images/s", "peak, GiB", "predicting", "G multiply-adds", "of peak"]
    heading += ["largest difference", "mean"]
    rows = []
    for name, one in case["subjects"].items():
        times, apart = one["milliseconds"], one["difference"] or {}
        whole = times[WHOLE]
        label = f"{name}{' (default)' if one['is_default'] else ''}"
        if one["image_size"] != case["image_size"]:
            label += f" at {'x'.join(map(str, one['image_size']))}"
        rows.append(
            [
                label,
                *(plain(times.get(stage, {}).get("median"), "{:.0f}") for stage in STAGES),
                f"{whole['median']:.0f}",
                f"{whole['lowest']:.0f}-{whole['highest']:.0f}",
                f"{one['images_per_second']:.3g}",
                gib(one["peak_bytes"]),
                gib(one["predict_peak_bytes"]),
                plain(_giga(one["multiply_adds"].get(WHOLE)), "{:.4g}"),
                plain(one["share_of_matrix_product"], "{:.2f}"),
                plain(apart.get("largest"), "{:.1e}"),
                plain(apart.get("mean"), "{:.1e}"),
            ]
        )
    return heading, rows


def ratios(case: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: ours against the others."""
    heading = ["comparison", "ours", "other", "times as fast", *STAGES]
    heading += ["multiply-adds, times", "peak memory, share", "loading", "predicting"]
    rows = []
    for one in case["ratios"]:
        speed = one["speed"]
        numbers = [speed.get(stage) for stage in (WHOLE, *STAGES)]
        numbers += [one["multiply_adds"], one["peak"], one["load_peak"], one["predict_peak"]]
        words = [one["name"], one["ours"], one["other"]]
        rows.append([*words, *(plain(number, "{:.2f}") for number in numbers)])
    return heading, rows


def baselines(case: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: the samplers of old."""
    heading = ["steps x members", "program", "seconds", "how", "our default is times as fast"]
    heading += ["measured of computed"]
    rows = []
    for one in case["baselines"]:
        how = "computed" if one["measured_seconds"] is None else "measured"
        numbers = [one[f"{how}_seconds"], one[f"{how}_ratio_to_default"]]
        share = plain(one["measured_of_computed"], "{:.2f}")
        took, ratio = f"{numbers[0]:.3g}", f"{numbers[1]:.3g}"
        rows.append([one["baseline"], one["subject"], took, how, ratio, share])
    return heading, rows


def loading(report: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: what loading took."""
    heading = ["program", "imports, s", "load, s", "peak, GiB", "weights, GiB"]
    return heading, [
        [
            name,
            f"{one['import_seconds']:.2f}",
            f"{one['load_seconds']:.2f}",
            gib(one["peak_bytes"]),
            gib(one["weight_bytes"]),
        ]
        for name, one in report["loading"].items()
    ]


def _case(case: dict[str, Any]) -> list[str]:
    size = "x".join(map(str, case["image_size"]))
    peaks = ", ".join(
        f"{dtype} {rate['median'] / 1e9:.0f}" for dtype, rate in case["matrix_product"].items()
    )
    parts = [f"## {size}, batch {case['batch_size']}, steps {case['steps']}"]
    parts += [table(*subjects(case))]
    if peaks:
        parts += [f"Large matrix product, G multiply-adds/s: {peaks}."]
    if case["ratios"]:
        parts += [table(*ratios(case))]
    if case["baselines"]:
        parts += [table(*baselines(case))]
    return parts


def machine_line(report: dict[str, Any]) -> str:
    """Where a report's numbers were measured, and how."""
    facts = report["machine"]
    halves = ", ".join(facts["cpu_half_precision"]) or "no half precision"
    gpu = f"{facts['gpu']['name']}, " if facts["gpu"] else ""
    return (
        f"{gpu}{facts['cpu']}, {facts['cores']} cores, {facts['threads']} threads, "
        f"{gib(facts['memory_bytes'])} GiB, {facts['cpu_capability']} ({halves}); "
        f"torch {facts['torch']}, diffusers {facts['diffusers']}, monostep {report['monostep']}; "
        f"{report['rounds']} rounds, {report['order']}, on {report['device']}"
    )


def _cold(report: dict[str, Any]) -> list[str]:
    cold = report["cold_start"]
    seconds = [[name, f"{taken:.2f}"] for name, taken in cold["median"].items()]
    quotients = [[name, f"{value:.2f}"] for name, value in cold["ratios"].items()]
    return [table(["command", "seconds"], seconds), table(["quotient", "value"], quotients)]


def plain(value: float | None, form: str) -> str:
    """The value in a format, or a dash for none."""
    return "-" if value is None else form.format(value)


def _giga(number: float | None) -> float | None:
    return None if number is None else number / 1e9


def gib(count: int | None) -> str:
    """Bytes in GiB, or a dash for none."""
    return "-" if count is None else f"{count / 2**30:.2f}"
