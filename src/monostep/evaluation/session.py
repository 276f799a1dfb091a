"""One contender's way through the images of a benchmark."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from monostep.evaluation.case import Case
from monostep.evaluation.judge import Numbers, Prediction, Scored, failed, judge
from monostep.evaluation.live import LiveModel, as_prediction
from monostep.evaluation.prepare import Prepared
from monostep.evaluation.progress import Entry, Progress
from monostep.evaluation.rules import Rules
from monostep.evaluation.scores import Line
from monostep.evaluation.stored import StoredPredictions
from monostep.results import Result

TOGETHER = 2_000_000  # pixels of images that go through a model together; a larger one goes alone

Contender: TypeAlias = LiveModel | StoredPredictions
Heard: TypeAlias = Callable[[str, Line], None]  # the contender's name, and what it got


@dataclass(frozen=True, kw_only=True, eq=False)
class _Waiting:
    """An image on its way: a case for the model, or a score that is known already."""

    index: int
    case: Case | None
    rivals: dict[str, Numbers]
    scored: Scored | None


class Session:
    """Takes prepared images in the order of the list and notes what becomes of them.

    Which images go through a model together depends on the list alone, not on where an earlier run
    was ended: the last digits of a score may depend on that. What failed before goes alone.
    """

    def __init__(
        self,
        contender: Contender,
        rules: Rules,
        progress: Progress,
        *,
        heard: Heard,
        keep: Callable[[str, Result], None] | None = None,
    ) -> None:
        """Begin.

        Args:
            contender: a model or a folder.
            rules: by which it is judged.
            progress: where lines are noted.
            heard: called with each new line.
            keep: called with each image's name and the model's result.
        """
        self.contender, self.rules, self.progress = contender, rules, progress
        self._heard, self._keep = heard, keep
        self._waiting: list[_Waiting] = []
        self._retried_below = progress.seen

    def take(self, prepared: Prepared, number: int) -> None:
        """Note or queue an image that was prepared for the contender of this number."""
        waiting = _Waiting(
            index=prepared.index,
            case=prepared.case,
            rivals=dict(prepared.rivals.get(number, {})),
            scored=prepared.scored.get(number),
        )
        alone = prepared.index < self._retried_below
        if alone or not self._has_room(waiting):
            self.flush()
        self._waiting.append(waiting)
        if alone or not isinstance(self.contender, LiveModel) or self._is_full():
            self.flush()

    def flush(self) -> None:
        """Judge and note all that waits."""
        together, self._waiting = self._waiting, []
        entries = list(self._entries(together))
        if not entries:
            return
        self.progress.add(entries)
        for _, scored in entries:
            self._heard(self.contender.name, scored.line)

    def _has_room(self, more: _Waiting) -> bool:
        pixels = sum(map(_pixels, self._waiting))
        return not pixels or pixels + _pixels(more) <= TOGETHER

    def _is_full(self) -> bool:
        assert isinstance(self.contender, LiveModel)
        models = sum(waiting.scored is None for waiting in self._waiting)
        return models >= self.contender.at_once or sum(map(_pixels, self._waiting)) >= TOGETHER

    def _entries(self, together: Sequence[_Waiting]) -> Iterator[Entry]:
        results = iter(self._predict([waiting for waiting in together if waiting.scored is None]))
        for waiting in together:
            yield waiting.index, waiting.scored or self._judge(waiting, next(results))

    def _predict(self, together: Sequence[_Waiting]) -> list[Result | str]:
        if not together:
            return []
        assert isinstance(self.contender, LiveModel)
        images = [one.case.image for one in together if one.case and one.case.image is not None]
        return self.contender.predict(images)

    def _judge(self, waiting: _Waiting, result: Result | str) -> Scored:
        assert waiting.case is not None
        case = replace(waiting.case, image=None)
        if isinstance(result, str):
            return failed(case, result)
        if self._keep is not None:
            self._keep(case.name, result)
        prediction: Prediction = as_prediction(result)
        return judge(prediction, case, self.rules, rivals=waiting.rivals)


def _pixels(waiting: _Waiting) -> int:
    """That the model must look at."""
    if waiting.scored is not None or waiting.case is None or waiting.case.image is None:
        return 0
    return waiting.case.image.shape[1] * waiting.case.image.shape[2]
