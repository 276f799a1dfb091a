"""From lines to a sheet: the worst, median and best images with what everybody made of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from monostep.errors import InputError
from monostep.evaluation import judge
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.case import Case
from monostep.evaluation.judge import Judged, Prediction
from monostep.evaluation.live import LiveModel, as_prediction
from monostep.evaluation.rules import DepthRules, Task
from monostep.evaluation.scores import MODEL, PRIMARY, larger_is_better
from monostep.evaluation.session import Contender
from monostep.evaluation.sheets import sheet as sheets
from monostep.evaluation.sheets.row import NamedMap, SheetRow

Seen = Sequence[tuple[Contender, Judged]]


def draw(benchmark: Benchmark, seen: Seen, folder: Path, stem: str, *, count: int) -> None:
    """Write STEM.TASK.sheet.jpg for each task, of the first contender's extreme images.

    Predictions are made or read again for these few images. With several contenders the places
    where they differ most are shown enlarged.
    """
    tasks: dict[Task, None] = dict.fromkeys(judged.task for _, judged in seen)
    for task in tasks:
        of_task = [(one, judged) for one, judged in seen if judged.task == task]
        metric = PRIMARY[task]
        places = sheets.choose(
            of_task[0][1].lines, metric, count, smaller_is_better=not larger_is_better(metric)
        )
        sheets.draw(
            folder / f"{stem}.{task}.sheet.jpg",
            _rows(benchmark, of_task, places, metric),
            metric=metric,
            cropped=len(of_task) > 1,
        )


def _rows(
    benchmark: Benchmark, seen: Seen, places: Sequence[tuple[int, str]], metric: str
) -> Iterator[SheetRow]:
    for index, word in places:
        case = benchmark.load(index)
        _, first = seen[0]
        truth, valid = judge.truth_of(case, first.rules)
        assert case.image is not None
        yield SheetRow(
            title=f"{word}: {case.name}",
            image=case.image,
            truth=truth,
            valid=valid,
            maps=[_map(one, judged, case, index, metric) for one, judged in seen],
        )


def _map(contender: Contender, judged: Judged, case: Case, index: int, metric: str) -> NamedMap:
    line = judged.lines[index]
    if line.problem is not None:
        return NamedMap(name=contender.name, values=None, score=None)
    prediction = _predicted(contender, case, judged.task)
    values = prediction.values
    if isinstance(judged.rules, DepthRules):
        values = judge.aligned(prediction, case, judged.rules)
    return NamedMap(name=contender.name, values=values, score=line.scores[MODEL][metric])


def _predicted(contender: Contender, case: Case, task: Task) -> Prediction:
    assert case.image is not None
    if not isinstance(contender, LiveModel):
        return contender.read(case.name, (case.image.shape[1], case.image.shape[2]))
    (result,) = contender.predict([case])
    if isinstance(result, str):
        raise InputError(result)
    return as_prediction(result, task)
