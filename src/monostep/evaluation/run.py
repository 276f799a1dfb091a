"""A benchmark from its first image to its reports, for several contenders at once."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monostep._version import __version__
from monostep.evaluation import baselines, kept, workers
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.entrants import Entrants
from monostep.evaluation.judge import Judged, task_of
from monostep.evaluation.kept import Kept
from monostep.evaluation.live import LiveModel
from monostep.evaluation.prepare import Preparation, Seat
from monostep.evaluation.progress import Progress
from monostep.evaluation.reports import paths as report_paths
from monostep.evaluation.reports import report
from monostep.evaluation.rules import Alignment, NormalsRules, Rules
from monostep.evaluation.scores import Line
from monostep.evaluation.session import Contender, Session
from monostep.evaluation.sheets import rows as sheet_rows
from monostep.evaluation.stored import StoredPredictions
from monostep.runner.run import check_folder


@dataclass(frozen=True, kw_only=True)
class How:
    """What a run may be told besides who takes part."""

    output: Path  # folder of the reports
    label: str = ""  # of the files' names, behind the benchmark's
    alignment: Alignment | None = None  # None: the rules'
    baselines: bool | None = None  # None: where there are no published numbers
    workers: int | None = None  # None: by the number of images and the device
    overwrite: bool = False  # judge again what is known
    save_predictions: Path | None = None  # a folder for the maps of models
    sheets: int = 0  # of the worst, of the median and of the best images


class Screen:
    """Who looks on: hears what happens, and shows nothing."""

    def begin(self, title: str, images: int) -> None:
        """A benchmark begins, of which so many lines are to come."""

    def heard(self, name: str, line: Line) -> None:
        """A contender has got a line."""

    def say(self, line: str) -> None:
        """Something happened to the run itself."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Place:
    """A contender with its rules, and the files of its report."""

    contender: Contender
    rules: Rules
    stem: str


def check(jobs: Sequence[tuple[Benchmark, Entrants, How]]) -> None:
    """Refuse what would end one of these runs, before the first of them takes its hours.

    Raises:
        SettingError: what cannot go together, such as reports that would share a file.
        InputError: a folder without any prediction of the images.
        OutputError: a folder that cannot be written to.
    """
    found = [
        (benchmark, _places(benchmark, entrants, how), how) for benchmark, entrants, how in jobs
    ]
    report_paths.check_distinct(
        (f"{place.contender.name} on {benchmark.name}", place.stem)
        for benchmark, places, _ in found
        for place in places
    )
    for _, places, how in found:
        _check_output(places, how)


def run(
    benchmark: Benchmark, entrants: Entrants, how: How, screen: Screen | None = None
) -> list[dict[str, Any]]:
    """Judge everybody on the same images and write one report each; the reports are returned.

    Images that were judged before, under the same settings, into the same folder, are not judged
    again; those that could not be judged are tried again.

    Raises:
        SettingError: what cannot go together.
        MonostepError: what stops the run as a whole.
    """
    screen = screen or Screen()
    places = _places(benchmark, entrants, how)
    _check_output(places, how)
    results = _judged(benchmark, places, how, screen)
    reports = []
    for place, result in zip(places, results, strict=True):
        values = report.report(benchmark.name, result)
        report.write(how.output, place.stem, values, result.lines)
        reports.append(values)
    if how.sheets:
        seen = [(place.contender, result) for place, result in zip(places, results, strict=True)]
        stem = report_paths.stem(benchmark.name, how.label)
        sheet_rows.draw(benchmark, seen, how.output, stem, count=how.sheets)
    return reports


def _check_output(places: Sequence[_Place], how: How) -> None:
    check_folder(how.output)
    for place in places:
        report_paths.check_free(how.output, place.stem)
    if how.save_predictions is not None:
        kept.check_folder(how.save_predictions)


def _judged(
    benchmark: Benchmark, places: Sequence[_Place], how: How, screen: Screen
) -> list[Judged]:
    place_of_maps = how.save_predictions and how.save_predictions / how.label
    maps = Kept(benchmark, place_of_maps, apart=_live(places) > 1)
    beside = _has_baselines(benchmark, how)
    with ExitStack() as stack:
        sessions = []
        for place in places:
            progress = stack.enter_context(
                Progress(
                    how.output,
                    place.stem,
                    _key(benchmark, place, beside=beside),
                    pooled=isinstance(place.rules, NormalsRules) and place.rules.pooled,
                    again=how.overwrite or not maps.is_complete(place.contender),
                    say=screen.say,
                )
            )
            keep = maps.by(place.contender)
            sessions.append(
                Session(place.contender, place.rules, progress, heard=screen.heard, keep=keep)
            )
        _work(benchmark, sessions, how, screen, beside=beside)
    return [_result(benchmark, session) for session in sessions]


def _work(
    benchmark: Benchmark, sessions: Sequence[Session], how: How, screen: Screen, *, beside: bool
) -> None:
    """Bring every image to those who have it not yet."""
    wanted = _wanted(benchmark, sessions, screen)
    if not wanted:
        return
    preparation = Preparation(
        benchmark=benchmark,
        seats={number: _seat(session) for number, session in enumerate(sessions)},
        baselines=baselines.of(benchmark, how.output) if beside else None,
        wanted=wanted,
    )
    on_cpu = any(
        isinstance(each.contender, LiveModel) and each.contender.predictor.device.type == "cpu"
        for each in sessions
    )
    screen.begin(report_paths.stem(benchmark.name, how.label), sum(map(len, wanted.values())))
    count = workers.choose(preparation, on_cpu=on_cpu, asked=how.workers)
    for prepared in workers.ahead(preparation, count):
        for number in wanted[prepared.index]:
            sessions[number].take(prepared, number)
    for session in sessions:
        session.flush()


def _wanted(
    benchmark: Benchmark, sessions: Sequence[Session], screen: Screen
) -> dict[int, tuple[int, ...]]:
    """By image: who has it not yet."""
    wanted: dict[int, tuple[int, ...]] = {}
    images = len(benchmark.names)
    for session in sessions:
        known = len(session.progress.lines)
        if known:
            whole = "all" if known == images else f"{known} of"
            screen.say(
                f"{benchmark.name}, {session.contender.name}: {whole} {images} images were judged "
                "before; --overwrite judges them again"
            )
    for index in range(images):
        numbers = tuple(
            number for number, each in enumerate(sessions) if index not in each.progress.lines
        )
        if numbers:
            wanted[index] = numbers
    return wanted


def _result(benchmark: Benchmark, session: Session) -> Judged:
    progress = session.progress
    return Judged(
        name=session.contender.name,
        about=session.contender.about(),
        task=task_of(session.rules),
        rules=session.rules,
        benchmark=benchmark.about(),
        lines=[progress.lines[index] for index in range(len(benchmark.names))],
        histogram=progress.histogram,
    )


def _places(benchmark: Benchmark, entrants: Entrants, how: How) -> list[_Place]:
    pairs = list(entrants.on(benchmark, how.alignment))
    shared = (benchmark.name, how.label)
    return [
        _Place(
            contender=contender,
            rules=rules,
            stem=report_paths.stem(*shared, contender.name if len(pairs) > 1 else ""),
        )
        for contender, rules in pairs
    ]


def _live(places: Sequence[_Place]) -> int:
    return sum(isinstance(place.contender, LiveModel) for place in places)


def _seat(session: Session) -> Seat:
    contender = session.contender
    stored = contender if isinstance(contender, StoredPredictions) else None
    return Seat(rules=session.rules, stored=stored)


def _has_baselines(benchmark: Benchmark, how: How) -> bool:
    usual = getattr(benchmark, "beside_baselines", False)
    return usual if how.baselines is None else how.baselines


def _key(benchmark: Benchmark, place: _Place, *, beside: bool) -> Mapping[str, Any]:
    """All that the lines of one contender depend on."""
    states = [_state(benchmark), _state(place.contender)]
    return {
        "version": __version__,
        "data": {"benchmark": benchmark.name, **benchmark.about()},
        "rules": place.rules.as_dict(),
        "model or predictions": place.contender.about(),
        "choice of baselines": beside,
        "state of files": hashlib.sha256(json.dumps(states).encode()).hexdigest(),
    }


def _state(of: object) -> str | None:
    """A hash of the files that may change behind an unchanged description, where they are known."""
    state: Callable[[], str] | None = getattr(of, "state", None)
    return None if state is None else state()
