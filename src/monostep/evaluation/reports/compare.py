"""Two contenders on the same images: which is better, and could it be chance.

Sources: the paired bootstrap of Efron and Tibshirani, "An Introduction to the Bootstrap" (1993);
the sign-flip test of Fisher, "The Design of Experiments" (1935), section 21.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from monostep.errors import InputError
from monostep.evaluation.reports import bootstrap, markdown, sign_flip
from monostep.evaluation.reports.files import Stored, read
from monostep.evaluation.reports.units import label, printed
from monostep.evaluation.scores import PRIMARY, larger_is_better

SURE = 0.05  # p below which a difference is called one


@dataclass(frozen=True, kw_only=True)
class _Paired:
    """Scores of the same images by name, in one order whatever the files' order."""

    images: Sequence[str]
    only: tuple[Sequence[str], Sequence[str]]  # in one file, or judged in one


def compare(first: Path, second: Path) -> dict[str, Any]:
    """What two reports' CSV files say of their contenders, A and B, as plain values.

    Means, differences (A - B) and tests are over images, unweighted, also where the protocol pools
    pixels; an image counts for a metric if both have a value of it.

    Raises:
        InputError: a file is missing or no report's, they are not of one benchmark, protocol and
            list, or they share no judged image.
    """
    a, b = read(first), read(second)
    _check(a, b)
    paired = _pair(a, b)
    primary = PRIMARY[a.values["task"]]
    metrics = {
        name: _metric(name, _column(a, name, paired), _column(b, name, paired))
        for name in a.metrics
        if name in b.metrics
    }
    return {
        "benchmark": a.values["benchmark"],
        "protocol": a.values["protocol"],
        "a": markdown.contender(a.values),
        "b": markdown.contender(b.values),
        "images": len(paired.images),
        "only_a": len(paired.only[0]),
        "only_b": len(paired.only[1]),
        "over": "images, unweighted",
        "metrics": {name: one for name, one in metrics.items() if one["images"]},
        "primary": primary,
        "verdict": _verdict(a, b, primary, metrics[primary]),
        "notes": [*_notes(a, b, paired)],
    }


def text(values: Mapping[str, Any]) -> str:
    """The comparison for people: a line on what, a table, the notes and the verdict."""
    heading = ["metric", "A", "B", "A - B", "95 % interval", "p", "A better", "B better", "images"]
    rows = []
    for name, one in values["metrics"].items():
        ends = " to ".join(printed(name, end, "{:+.3g}") for end in one["interval"])
        rows.append(
            [
                *(label(name), printed(name, one["a"]), printed(name, one["b"])),
                *(printed(name, one["difference"], "{:+.3g}"), ends, f"{one['p']:.2g}"),
                *(f"{one['a_better']:.0%}", f"{one['b_better']:.0%}", str(one["images"])),
            ]
        )
    head = f"{values['benchmark']}, {values['protocol']}: A is {values['a']}, B is {values['b']}"
    parts = [head, markdown.aligned(heading, rows), *values["notes"], values["verdict"]]
    return "\n\n".join(parts)


def _check(a: Stored, b: Stored) -> None:
    """Raise InputError unless both were judged on the same truth by the same protocol."""
    one, other = _truth(a), _truth(b)
    for name in [*one, *other]:
        if one.get(name) != other.get(name):
            raise InputError(
                f"{a.path.name} and {b.path.name} cannot be compared: {name} is {one.get(name)} "
                f"and {other.get(name)}; evaluate both on the same images in the same way"
            )


def _truth(stored: Stored) -> dict[str, Any]:
    """What scores are of; an image that is missing from one's data is not judged there."""
    values = stored.values
    about = {name: values[name] for name in ("benchmark", "protocol", "task")}
    return about | {name: value for name, value in values["data"].items() if name != "missing"}


def _pair(a: Stored, b: Stored) -> _Paired:
    both = sorted(a.lines.keys() & b.lines.keys())
    if not both:
        raise InputError(f"{a.path.name} and {b.path.name}: no image was judged in both")
    only = (sorted(a.lines.keys() - b.lines.keys()), sorted(b.lines.keys() - a.lines.keys()))
    return _Paired(images=both, only=only)


def _column(stored: Stored, metric: str, paired: _Paired) -> Float[np.ndarray, " image"]:
    return np.array([stored.lines[name][metric] for name in paired.images], np.float64)


def _metric(
    name: str, a: Float[np.ndarray, " image"], b: Float[np.ndarray, " image"]
) -> dict[str, Any]:
    known = np.isfinite(a) & np.isfinite(b)
    if not known.any():
        return {"images": 0}
    a, b = a[known], b[known]
    difference = a - b
    gain = difference if larger_is_better(name) else -difference
    ends = bootstrap.intervals(difference[:, None], np.ones(len(difference)))[0]
    return {
        "a": float(a.mean()),
        "b": float(b.mean()),
        "difference": float(difference.mean()),
        "interval": ends.tolist(),
        "p": sign_flip.p_value(difference),
        "a_better": float((gain > 0).mean()),
        "b_better": float((gain < 0).mean()),
        "images": len(difference),
    }


def _verdict(a: Stored, b: Stored, metric: str, one: Mapping[str, Any]) -> str:
    """One line: which of the two is better in the main metric, if either is."""
    if not one["images"]:
        return f"verdict: no image has {label(metric)} in both"
    if one["p"] >= SURE or one["difference"] == 0:
        return (
            f"verdict: no difference in {label(metric)} that {one['images']} images can show "
            f"(p = {one['p']:.2g})"
        )
    is_a = (one["difference"] > 0) == larger_is_better(metric)
    sides = [(f"A ({markdown.contender(a.values)})", one["a"])]
    sides.append((f"B ({markdown.contender(b.values)})", one["b"]))
    (better, low), (worse, high) = sides if is_a else reversed(sides)
    return (
        f"verdict: {better} is better than {worse}: {label(metric)} {printed(metric, low)} "
        f"against {printed(metric, high)} (p = {one['p']:.2g})"
    )


def _notes(a: Stored, b: Stored, paired: _Paired) -> list[str]:
    notes = []
    for stored, names in zip((a, b), paired.only, strict=True):
        if names:
            named = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
            notes.append(f"{len(names)} images are judged only in {stored.path.name}: {named}")
    if "per_image" in a.values:
        notes.append("the reports pool all pixels; here each image counts once")
    if other := _ways_of_one_model(a, b):
        notes.append(f"A and B are the same weights with other {', '.join(other)}")
    changed = _judging(a) ^ _judging(b)
    if changed:
        names = ", ".join(sorted({name for name, _ in changed}))
        notes.append(f"caution: the two were not judged by the same {names}")
    return notes


def _ways_of_one_model(a: Stored, b: Stored) -> list[str]:
    """What differs between two runs of the same weights, each with both values."""
    hashes = {stored.values.get("weights_sha256") for stored in (a, b)}
    if len(hashes) > 1 or None in hashes:
        return []
    one, other = (_way(stored.values["settings"]) for stored in (a, b))
    return [
        f"{name} ({one.get(name)}; {other.get(name)})"
        for name in dict.fromkeys([*one, *other])
        if one.get(name) != other.get(name)
    ]


def _way(settings: Mapping[str, Any]) -> dict[str, Any]:
    """How a model was run."""
    known = {name: settings[name] for name in ("dtype", "attention") if name in settings}
    return {**settings.get("inference", {}), **known}


def _judging(stored: Stored) -> set[tuple[str, str]]:
    """The rules by which a prediction is judged, not how it was made."""
    names = ("alignment", "near_m", "far_m", "align_side", "pooled")
    settings = stored.values["settings"]
    return {(name, str(settings.get(name))) for name in names}
