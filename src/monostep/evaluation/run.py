"""A benchmark from its first image to its reports, for several contenders at once."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monostep.errors import SettingError
from monostep.evaluation import baselines, kept, places, workers
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.entrants import Entrants
from monostep.evaluation.judge import Judged, task_of
from monostep.evaluation.kept import Kept
from monostep.evaluation.live import LiveModel
from monostep.evaluation.places import Place
from monostep.evaluation.prepare import Preparation, Seat
from monostep.evaluation.progress import Progress
from monostep.evaluation.reports import paths as report_paths
from monostep.evaluation.reports import report
from monostep.evaluation.rules import Alignment
from monostep.evaluation.scores import Line
from monostep.evaluation.session import Desk, Session
from monostep.evaluation.sheets import rows as sheet_rows
from monostep.evaluation.stored import StoredPredictions
from monostep.runner.run import check_folder


@dataclass(frozen=True, kw_only=True)
class How:
    """What a run may be told besides who takes part."""

    output: Path  # folder of the reports
    label: str = ""  # of the files' names, behind the benchmark's
    alignment: Alignment | None = None  # of depth; None: the rules'
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
        for benchmark, its_places, _ in found
        for place in its_places
    )
    _check_aligned([(place, how) for _, its_places, how in found for place in its_places])
    for _, its_places, how in found:
        _check_output(its_places, how)


def _check_aligned(found: Sequence[tuple[Place, How]]) -> None:
    """Refuse an alignment for whom no benchmark judges in depth."""
    of_depth = {place.contender.name for place, _ in found if task_of(place.rules) == "depth"}
    for place, how in found:
        name = place.contender.name
        if how.alignment is not None and name not in of_depth:
            raise SettingError(
                f"align {how.alignment}: of {name} only normals are judged here, and nothing "
                "aligns these; leave it out"
            )


def run(
    benchmark: Benchmark, entrants: Entrants, how: How, screen: Screen | None = None
) -> list[dict[str, Any]]:
    """Judge everybody on the same images and write one report each; the reports are returned.

    A joint model has two where both of its maps can be judged, from one pass over each image.
    Images that were judged before, under the same settings, into the same folder, are not judged
    again; those that could not be judged are tried again.

    Raises:
        SettingError: what cannot go together.
        MonostepError: what stops the run as a whole.
    """
    screen = screen or Screen()
    its_places = _places(benchmark, entrants, how)
    _check_output(its_places, how)
    results = _judged(benchmark, its_places, how, screen)
    reports = []
    for place, result in zip(its_places, results, strict=True):
        values = report.report(benchmark.name, result)
        report.write(how.output, place.stem, values, result.lines)
        reports.append(values)
    if how.sheets:
        both = zip(its_places, results, strict=True)
        seen = [(place.contender, result) for place, result in both]
        stem = report_paths.stem(benchmark.name, how.label)
        sheet_rows.draw(benchmark, seen, how.output, stem, count=how.sheets)
    return reports


def _places(benchmark: Benchmark, entrants: Entrants, how: How) -> list[Place]:
    return places.places(benchmark, entrants, label=how.label, alignment=how.alignment)


def _check_output(its_places: Sequence[Place], how: How) -> None:
    check_folder(how.output)
    for place in its_places:
        report_paths.check_free(how.output, place.stem)
    if how.save_predictions is not None:
        kept.check_folder(how.save_predictions)


def _judged(
    benchmark: Benchmark, its_places: Sequence[Place], how: How, screen: Screen
) -> list[Judged]:
    groups = places.by_contender(its_places)
    place_of_maps = how.save_predictions and how.save_predictions / how.label
    models = {each.name for each in groups if isinstance(each, LiveModel)}
    maps = Kept(benchmark, place_of_maps, apart=len(models) > 1)
    beside = _has_baselines(benchmark, how)
    with ExitStack() as stack:
        desks = [
            _desk(benchmark, place, how, screen, stack, again=not maps.is_complete(place.contender))
            for place in its_places
        ]
        sessions = [
            Session(
                contender,
                {number: desks[number] for number in numbers},
                heard=screen.heard,
                keep=maps.by(contender),
            )
            for contender, numbers in groups.items()
        ]
        _work(benchmark, sessions, how, screen, beside=beside)
    return [
        _result(benchmark, place, desk.progress)
        for place, desk in zip(its_places, desks, strict=True)
    ]


def _desk(
    benchmark: Benchmark,
    place: Place,
    how: How,
    screen: Screen,
    stack: ExitStack,
    *,
    again: bool,
) -> Desk:
    """Where a report's lines are noted, with those that are known already."""
    key = places.key(benchmark, place, beside=_has_baselines(benchmark, how))
    progress = Progress(
        how.output,
        place.stem,
        key,
        pooled=place.is_pooled,
        again=how.overwrite or again,
        say=screen.say,
    )
    return Desk(rules=place.rules, progress=stack.enter_context(progress))


def _work(
    benchmark: Benchmark, sessions: Sequence[Session], how: How, screen: Screen, *, beside: bool
) -> None:
    """Bring every image to those who have it not yet."""
    _say_known(benchmark, sessions, screen)
    wanted = _wanted(benchmark, sessions)
    if not wanted:
        return
    preparation = Preparation(
        benchmark=benchmark,
        seats={number: seat for session in sessions for number, seat in _seats(session).items()},
        baselines=baselines.of(benchmark, how.output) if beside else None,
        wanted=wanted,
    )
    on_cpu = any(
        isinstance(each.contender, LiveModel) and each.contender.predictor.device.type == "cpu"
        for each in sessions
    )
    screen.begin(report_paths.stem(benchmark.name, how.label), _lines_to_come(benchmark, sessions))
    count = workers.choose(preparation, on_cpu=on_cpu, asked=how.workers)
    for prepared in workers.ahead(preparation, count):
        for session in sessions:
            if session.wants(prepared.index):
                session.take(prepared)
    for session in sessions:
        session.flush()


def _say_known(benchmark: Benchmark, sessions: Sequence[Session], screen: Screen) -> None:
    images = len(benchmark.names)
    for session in sessions:
        known = min(len(desk.progress.lines) for desk in session.desks.values())
        if known:
            whole = "all" if known == images else f"{known} of"
            screen.say(
                f"{benchmark.name}, {session.contender.name}: {whole} {images} images were judged "
                "before; --overwrite judges them again"
            )


def _wanted(benchmark: Benchmark, sessions: Sequence[Session]) -> dict[int, tuple[int, ...]]:
    """By image: the numbers of the places that want it."""
    wanted = {
        index: tuple(number for session in sessions for number in session.wants(index))
        for index in range(len(benchmark.names))
    }
    return {index: numbers for index, numbers in wanted.items() if numbers}


def _lines_to_come(benchmark: Benchmark, sessions: Sequence[Session]) -> int:
    return sum(
        len(benchmark.names) - len(desk.progress.lines)
        for session in sessions
        for desk in session.desks.values()
    )


def _result(benchmark: Benchmark, place: Place, progress: Progress) -> Judged:
    return Judged(
        name=place.contender.name,
        about=place.contender.about(),
        task=task_of(place.rules),
        rules=place.rules,
        benchmark=benchmark.about(),
        lines=[progress.lines[index] for index in range(len(benchmark.names))],
        histogram=progress.histogram,
    )


def _seats(session: Session) -> dict[int, Seat]:
    """As the workers know them."""
    contender = session.contender
    stored = contender if isinstance(contender, StoredPredictions) else None
    return {number: Seat(rules=desk.rules, stored=stored) for number, desk in session.desks.items()}


def _has_baselines(benchmark: Benchmark, how: How) -> bool:
    usual = getattr(benchmark, "beside_baselines", False)
    return usual if how.baselines is None else how.baselines
