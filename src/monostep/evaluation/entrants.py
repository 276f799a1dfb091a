"""Who takes part in an evaluation, and by which rules each is judged."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from monostep.errors import SettingError
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.live import LiveModel
from monostep.evaluation.reports import paths as report_paths
from monostep.evaluation.rules import Alignment, DepthRules, Input, Rules, Task, tasks_of
from monostep.evaluation.session import Contender
from monostep.evaluation.stored import StoredPredictions
from monostep.predictor import Predictor

# What an alignment asks of depth that is known up to so much.
_ASKS: Mapping[str, tuple[str, ...]] = {"scale": ("scale", "metric"), "none": ("metric",)}


@dataclass(frozen=True, kw_only=True)
class Entrants:
    """Models and folders, and what was asked of the models.

    Raises:
        SettingError: nobody, or two whose reports would share a file.
    """

    models: Sequence[Predictor] = ()
    stored: Sequence[StoredPredictions] = ()
    asked: Mapping[str, Any] = field(default_factory=dict)  # keywords of Predictor.inference
    task: Task | None = None  # the only one in which models are judged; None: in all that they can
    batch_size: int = 0  # images that go through a model together; 0: by the device

    def __post_init__(self) -> None:
        """Refuse what cannot be reported."""
        names = [model.card.name for model in self.models] + [each.name for each in self.stored]
        if not names:
            raise SettingError("nobody to judge: name a --model or a folder of --predictions")
        report_paths.check_distinct((name, report_paths.stem(name)) for name in names)

    def on(
        self, benchmark: Benchmark, alignment: Alignment | None
    ) -> Iterator[tuple[Contender, Sequence[Rules]]]:
        """Each with its settings on a benchmark, and the rules of the tasks that it is judged in.

        A joint model comes once with the rules of both tasks where both show it the same images;
        else once for each.

        Raises:
            SettingError: a task, setting or alignment that cannot be.
            InputError: a folder without any prediction of these images.
        """
        for model in self.models:
            tasks = _judged(model.card.name, self.tasks(model), benchmark)
            for shown, alike in _by_input(benchmark, tasks).items():
                live = LiveModel(model, shown, self.asked, tasks=alike, batch_size=self.batch_size)
                yield live, _aligned(live, alike, benchmark, alignment)
        for stored in self.stored:
            tasks = _judged(stored.name, [stored.task], benchmark)
            found = stored.on(benchmark)
            yield found, _aligned(found, tasks, benchmark, alignment)

    def tasks(self, model: Predictor) -> tuple[Task, ...]:
        """What of a model's maps may be judged."""
        return tuple(task for task in tasks_of(model.card.maps) if self.task in (None, task))


def _judged(name: str, predicted: Sequence[Task], benchmark: Benchmark) -> tuple[Task, ...]:
    """The tasks that a benchmark can judge, of those predicted; SettingError if there is none."""
    tasks: tuple[Task, ...] = tuple(task for task in predicted if task in benchmark.rules)
    if not tasks:
        raise SettingError(
            f"{name} predicts {' and '.join(predicted)}, but {benchmark.name} can judge "
            f"{' and '.join(benchmark.rules)} only: name another model"
        )
    return tasks


def _by_input(benchmark: Benchmark, tasks: Sequence[Task]) -> dict[Input, list[Task]]:
    """Tasks that see the images in the same way share what a model makes of them."""
    groups: dict[Input, list[Task]] = defaultdict(list)
    for task in tasks:
        groups[benchmark.rules[task].input].append(task)
    return groups


def _aligned(
    contender: Contender,
    tasks: Sequence[Task],
    benchmark: Benchmark,
    alignment: Alignment | None,
) -> list[Rules]:
    """The rules of these tasks, of depth with another alignment if one is asked for."""
    return [
        _depth_aligned(contender, rules, benchmark, alignment)
        if alignment is not None and isinstance(rules, DepthRules)
        else rules
        for rules in (benchmark.rules[task] for task in tasks)
    ]


def _depth_aligned(
    contender: Contender, rules: DepthRules, benchmark: Benchmark, alignment: Alignment
) -> Rules:
    """The rules with another alignment, if it makes sense."""
    if alignment == "none" and not getattr(benchmark, "scale_is_known", True):
        raise SettingError(
            f"align none: the depth of {benchmark.name} is known only up to scale; align scale"
        )
    known = contender.invariance
    if known is not None and known not in _ASKS.get(alignment, (known,)):
        raise SettingError(
            f"align {alignment}: the depth of {contender.name} is known only up to "
            f"{'scale and shift' if known == 'affine' else 'scale'}; choose another alignment"
        )
    return replace(rules, alignment=alignment)
