"""One case as plain values: every subject, every ratio, and what is wrong with them."""

import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from monostep.benchmark.cases import Baseline, Case
from monostep.benchmark.differences import Difference, by_map, worst
from monostep.benchmark.pairs import Pair
from monostep.benchmark.ratios import pairwise, quotient, stepwise, summary
from monostep.benchmark.rounds import Record
from monostep.benchmark.stopwatch import STAGES, WHOLE
from monostep.benchmark.subjects import EXACT, PEAK, Subject
from monostep.benchmark.worker import Loaded

TOLERANCE = 1e-4  # largest difference in float32 between programs with the same weights
_COUNTS_APART = 2  # multiply-adds of two programs with the same weights: one is not fully counted


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a case's report is made of; `steps` are what the card means where none are asked."""

    case: Case
    steps: int
    default: str  # the name of ours as it comes
    reference: str  # of the subject whose maps the others' are compared with
    pairs: list[Pair]
    subjects: Mapping[str, Subject]
    loaded: Mapping[str, Loaded]
    records: Mapping[str, Record]
    long: Mapping[str, Mapping[str, Record]]  # measured baselines by name, then by subject


def report(measured: Measured, baselines: list[Baseline]) -> dict[str, Any]:
    """The case; `problems` are reasons not to believe its numbers."""
    shown = [name for name in measured.records if measured.subjects[name].kind != PEAK]
    subjects = {name: _subject(measured, name) for name in shown}
    return {
        "image_size": list(measured.case.size),
        "batch_size": measured.case.batch,
        "steps": measured.steps,
        "subjects": subjects,
        "matrix_product": _peaks(measured),
        "ratios": [_ratio(measured, pair) for pair in measured.pairs],
        "baselines": [row for each in baselines for row in _baseline(measured, each)],
        "problems": _problems(measured),
    }


def _subject(measured: Measured, name: str) -> dict[str, Any]:
    record, subject = measured.records[name], measured.subjects[name]
    stages = [stage for stage in (*STAGES, WHOLE) if record.seconds(stage)]
    load, predict = measured.loaded[name].peak_bytes, record.peak_bytes
    whole = record.seconds(WHOLE)
    apart = _difference(measured, name)
    return {
        "dtype": subject.dtype,
        "compiled": subject.compiled,
        "is_default": name == measured.default,
        "image_size": list(record.size),
        "rounds_seconds": [one.seconds for one in record.timings],
        "milliseconds": {stage: _milliseconds(record.seconds(stage)) for stage in stages},
        "images_per_second": measured.case.batch / statistics.median(whole),
        "load_peak_bytes": load,
        "predict_peak_bytes": predict,
        "peak_bytes": None if load is None or predict is None else max(load, predict),
        "multiply_adds": record.multiply_adds,
        "share_of_matrix_product": _share(measured, name),
        "difference": None if apart is None else worst(apart).as_dict(),
        "difference_by_map": {kind: one.as_dict() for kind, one in (apart or {}).items()},
    }


def _milliseconds(seconds: list[float]) -> dict[str, float]:
    return asdict(summary([1000 * one for one in seconds]))


def _peaks(measured: Measured) -> dict[str, Any]:
    """Multiply-adds a second of the large product, by precision."""
    found = {}
    for name, record in measured.records.items():
        if measured.subjects[name].kind == PEAK:
            rates = [record.multiply_adds[WHOLE] / one for one in record.seconds(WHOLE)]
            found[measured.subjects[name].dtype] = asdict(summary(rates))
    return found


def _share(measured: Measured, name: str) -> float | None:
    """Of the machine's peak in this precision, round by round."""
    peak = measured.records.get(Subject(kind=PEAK, dtype=measured.subjects[name].dtype).name)
    mine = measured.records[name]
    if peak is None or not mine.multiply_adds.get(WHOLE):
        return None
    work = mine.multiply_adds[WHOLE] / peak.multiply_adds[WHOLE]
    return work * pairwise(peak.seconds(WHOLE), mine.seconds(WHOLE))


def _difference(measured: Measured, name: str) -> dict[str, Difference] | None:
    """From the reference, our float32 of the same weights: each kind of map."""
    reference = measured.records.get(measured.reference)
    one = measured.records[name].map
    if reference is None or reference.map is None or one is None:
        return None
    return by_map(one, reference.map)


def _ratio(measured: Measured, pair: Pair) -> dict[str, Any]:
    """Above 1 ours is faster, below 1 it takes less memory."""
    ours, other = measured.records[pair.ours], measured.records[pair.other]
    stages = [s for s in (*STAGES, WHOLE) if ours.seconds(s) and other.seconds(s)]
    peaks = [_subject(measured, name) for name in (pair.ours, pair.other)]
    return {
        "name": pair.name,
        "ours": pair.ours,
        "other": pair.other,
        "speed": {stage: pairwise(other.seconds(stage), ours.seconds(stage)) for stage in stages},
        "multiply_adds": quotient(other.multiply_adds.get(WHOLE), ours.multiply_adds.get(WHOLE)),
        **{
            key.replace("_bytes", ""): quotient(peaks[0][key], peaks[1][key])
            for key in ("peak_bytes", "load_peak_bytes", "predict_peak_bytes")
        },
    }


def _baseline(measured: Measured, baseline: Baseline) -> list[dict[str, Any]]:
    """Everyone with stages as the sampler of old: computed from them, and measured if asked."""
    default, rows = measured.records.get(measured.default), []
    if default is None:
        return rows
    for name, record in measured.records.items():
        seconds = {stage: record.seconds(stage) for stage in STAGES}
        if not all(seconds.values()):
            continue
        computed = stepwise(
            seconds, steps=baseline.steps, members=baseline.members, made_of=measured.steps
        )
        done = measured.long.get(baseline.name, {}).get(name)
        took = done.seconds(WHOLE)[0] if done else None
        ours = default.seconds(WHOLE)
        ratio = quotient(took, statistics.median(ours))
        implied = pairwise(computed, ours)
        rows.append(
            {
                "baseline": baseline.name,
                "subject": name,
                "computed_seconds": statistics.median(computed),
                "measured_seconds": took,
                "computed_ratio_to_default": implied,
                "measured_ratio_to_default": ratio,
                "measured_of_computed": quotient(ratio, implied),
            }
        )
    return rows


def _problems(measured: Measured) -> list[str]:
    reference = measured.reference
    found = [f"{reference}: failed, so nothing is compared"] * (reference not in measured.records)
    for name in measured.records:
        apart = _difference(measured, name)
        if apart is None or measured.subjects[name].dtype != EXACT or name == reference:
            continue
        for kind, one in apart.items():
            if not one.equal(TOLERANCE):
                found.append(
                    f"{measured.case.name}: {name} differs from {reference} by {one.largest:.1e} "
                    f"in {kind}, allowed are {TOLERANCE:.0e} (spread {one.spread:.2g})"
                )
    for pair in measured.pairs:
        ratio = _ratio(measured, pair)["multiply_adds"]
        same = _difference(measured, pair.other) is not None
        if same and ratio is not None and not 1 / _COUNTS_APART <= ratio <= _COUNTS_APART:
            found.append(
                f"{measured.case.name}: {pair.other} executes {ratio:.2f} times the multiply-adds "
                f"of {pair.ours}; one of them is not fully counted"
            )
    return found
