"""Why a score is not comparable with the published ones, if it is not; one line each."""

from collections.abc import Iterator, Mapping
from typing import Any

from monostep.evaluation.papers import published
from monostep.evaluation.papers.published_row import DEPTH, METRICS
from monostep.evaluation.sets.depth_rules import depth_rules

_JUDGING = ("alignment", "near_m", "far_m", "align_side")
_RUN = ("steps", "ensemble", "noise", "spacing", "attention")


def caveats(values: Mapping[str, Any]) -> list[str]:
    """What differs between a report and the published figures of its benchmark and protocol."""
    inference = values["settings"].get("inference")
    lines = [*_data(values), *_judging(values)]
    if inference is not None:
        lines += [*_colours(values), *_looks(values["settings"]["input"], inference)]
        lines += _ways(values, {**inference, "attention": values["settings"].get("attention")})
    return lines


def _data(values: Mapping[str, Any]) -> Iterator[str]:
    if values["failed"]:
        yield f"{len(values['failed'])} images could not be judged; the published means are of all"
    for name in METRICS[values["task"]]:
        if without := values.get("without_value", {}).get(name):
            yield f"{without} images have no {name}; the published means are of all"
    missing, only = (values["data"].get(name) for name in ("missing", "only_first"))
    if missing and not only:  # of a part, most were not asked for
        yield f"{missing} images of the list are missing"
    elif not missing and values["data"].get("is_reference_list") is False:
        yield "the list of images is not the published one"
    if only:
        yield f"only the first {only} images were judged"


def _judging(values: Mapping[str, Any]) -> Iterator[str]:
    """Rules that the user changed; only those of depth can be."""
    if values["benchmark"] not in DEPTH:
        return
    rules = depth_rules(values["benchmark"], values["protocol"]).as_dict()
    for name in _JUDGING:
        usual = None if rules[name] == float("inf") else rules[name]
        if values["settings"][name] != usual:
            yield f"{name} is {values['settings'][name]}, not the protocol's {usual}"


def _colours(values: Mapping[str, Any]) -> Iterator[str]:
    if values["protocol"] in published.JUDGED_ALIKE:
        yield (
            "the model saw the images' own colours; in the published evaluation they were "
            f"stretched (protocol {published.JUDGED_ALIKE[values['protocol']]})"
        )


def _looks(shown: Mapping[str, Any], inference: Mapping[str, Any]) -> Iterator[str]:
    for name in ("resolution", "fit", "domain"):
        known = shown[name] is not None and name in inference  # few models are told a domain
        if known and inference[name] != shown[name]:
            yield f"{name} is {inference[name]}, not the protocol's {shown[name]}"


def _ways(values: Mapping[str, Any], chosen: Mapping[str, Any]) -> Iterator[str]:
    """Settings with which nobody published this checkpoint's figures."""
    id = values.get("source", {}).get("id")
    rows = [row for row, _ in published.beside(values["benchmark"], values["protocol"])]
    runs = [row.run for row in rows if row.run is not None and row.run.checkpoint == id]
    own = tuple(chosen[name] for name in _RUN)
    if id is not None and runs and own not in {_of(run) for run in runs}:
        named = [(name, value) for name, value in zip(_RUN, own, strict=True) if value is not None]
        shown = ", ".join(f"{name} {value}" for name, value in named)
        yield f"no published row ran this checkpoint with {shown}"


def _of(run: Any) -> tuple[Any, ...]:
    return tuple(getattr(run, name) for name in _RUN)
