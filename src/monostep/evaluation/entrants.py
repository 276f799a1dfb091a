"""Who takes part in an evaluation, and by which rules each is judged."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from monostep.errors import SettingError
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.live import LiveModel
from monostep.evaluation.reports import paths as report_paths
from monostep.evaluation.rules import Alignment, DepthRules, Rules
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
    batch_size: int = 0  # images that go through a model together; 0: by the device

    def __post_init__(self) -> None:
        """Refuse what cannot be reported."""
        names = [model.card.name for model in self.models] + [each.name for each in self.stored]
        if not names:
            raise SettingError("nobody to judge: name a --model or a folder of --predictions")
        report_paths.check_distinct((name, report_paths.stem(name)) for name in names)

    def on(
        self, benchmark: Benchmark, alignment: Alignment | None
    ) -> Iterator[tuple[Contender, Rules]]:
        """Each of them with its settings and rules on a benchmark.

        Raises:
            SettingError: a task, setting or alignment that cannot be.
            InputError: a folder without any prediction of these images.
        """
        for model in self.models:
            _check_task(model.card.name, model.card.task, benchmark)
            base = benchmark.rules[model.card.task]
            live = LiveModel(model, base.input, self.asked, batch_size=self.batch_size)
            yield live, _aligned(live, base, benchmark, alignment)
        for stored in self.stored:
            _check_task(stored.name, stored.task, benchmark)
            found = stored.on(benchmark)
            yield found, _aligned(found, benchmark.rules[stored.task], benchmark, alignment)


def _check_task(name: str, task: str, benchmark: Benchmark) -> None:
    if task not in benchmark.rules:
        raise SettingError(
            f"{name} predicts {task}, but {benchmark.name} can judge "
            f"{' and '.join(benchmark.rules)} only: name another model"
        )


def _aligned(
    contender: Contender, rules: Rules, benchmark: Benchmark, alignment: Alignment | None
) -> Rules:
    """The rules with another alignment, if one is asked for and makes sense."""
    if alignment is None:
        return rules
    if not isinstance(rules, DepthRules):
        raise SettingError(f"align {alignment}: {contender.name} predicts normals; leave it out")
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
