"""One contender's way through the images of a benchmark."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from monostep.evaluation.case import Case
from monostep.evaluation.judge import Numbers, Scored, failed, judge, task_of
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
class Desk:
    """Where a contender's results are judged in one task: by which rules, noted where."""

    rules: Rules
    progress: Progress


@dataclass(frozen=True, kw_only=True, eq=False)
class _Waiting:
    """An image on its way: a case for the model, or scores that are known already; by desk."""

    index: int
    case: Case | None
    for_model: bool  # some desk needs a result
    rivals: Mapping[int, Mapping[str, Numbers]]
    scored: Mapping[int, Scored]


class Session:
    """Takes prepared images in the order of the list and notes what becomes of them.

    Which images go through a model together depends on the list alone, not on where an earlier run
    was ended: the last digits of a score may depend on that. What failed before goes alone. A joint
    model has a desk for each task, and every image goes through it once for all of them.
    """

    def __init__(
        self,
        contender: Contender,
        desks: Mapping[int, Desk],
        *,
        heard: Heard,
        keep: Callable[[str, Result], None] | None = None,
    ) -> None:
        """Begin.

        Args:
            contender: a model or a folder.
            desks: by their numbers, of which the prepared images tell.
            heard: called with each new line.
            keep: called with each image's name and the model's result.
        """
        self.contender, self.desks = contender, desks
        self._heard, self._keep = heard, keep
        self._waiting: list[_Waiting] = []
        self._retried_below = min(desk.progress.seen for desk in desks.values())

    def wants(self, index: int) -> tuple[int, ...]:
        """The numbers of the desks for which an image is to be prepared.

        Where one desk goes on, all do, so that images go together as they did: an end may come
        when a joint model's result is noted at its first desk only.
        """
        numbers = self._without(index)
        return tuple(self.desks) if numbers and index >= self._retried_below else numbers

    def take(self, prepared: Prepared) -> None:
        """Note or queue an image that was prepared for the desks that want it."""
        numbers = self.wants(prepared.index)
        waiting = _Waiting(
            index=prepared.index,
            case=prepared.case,
            for_model=any(number not in prepared.scored for number in numbers),
            rivals=prepared.rivals,
            scored=prepared.scored,
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
        for number, entries in self._entries(together).items():
            if entries:
                self.desks[number].progress.add(entries)
            for _, scored in entries:
                self._heard(self.contender.name, scored.line)

    def _without(self, index: int) -> tuple[int, ...]:
        """The desks that have no line of an image."""
        return tuple(n for n, desk in self.desks.items() if index not in desk.progress.lines)

    def _has_room(self, more: _Waiting) -> bool:
        pixels = sum(map(_pixels, self._waiting))
        return not pixels or pixels + _pixels(more) <= TOGETHER

    def _is_full(self) -> bool:
        assert isinstance(self.contender, LiveModel)
        models = sum(waiting.for_model for waiting in self._waiting)
        return models >= self.contender.at_once or sum(map(_pixels, self._waiting)) >= TOGETHER

    def _entries(self, together: Sequence[_Waiting]) -> dict[int, list[Entry]]:
        """What is to be noted at each desk."""
        entries: dict[int, list[Entry]] = {number: [] for number in self.desks}
        results = iter(self._predict([one for one in together if one.for_model]))
        for waiting in together:
            result = next(results) if waiting.for_model else None
            self._keep_map(waiting, result)
            for number in self._without(waiting.index):
                scored = waiting.scored.get(number) or self._judge(waiting, number, result)
                entries[number].append((waiting.index, scored))
        return entries

    def _predict(self, together: Sequence[_Waiting]) -> list[Result | str]:
        if not together:
            return []
        assert isinstance(self.contender, LiveModel)
        return self.contender.predict([one.case for one in together if one.case is not None])

    def _keep_map(self, waiting: _Waiting, result: Result | str | None) -> None:
        if self._keep is not None and waiting.case and not isinstance(result, str | None):
            self._keep(waiting.case.name, result)

    def _judge(self, waiting: _Waiting, number: int, result: Result | str | None) -> Scored:
        assert waiting.case is not None and result is not None
        case, rules = replace(waiting.case, image=None), self.desks[number].rules
        if isinstance(result, str):
            return failed(case, result)
        prediction = as_prediction(result, task_of(rules))
        return judge(prediction, case, rules, rivals=waiting.rivals.get(number, {}))


def _pixels(waiting: _Waiting) -> int:
    """That the model must look at."""
    if not waiting.for_model or waiting.case is None or waiting.case.image is None:
        return 0
    return waiting.case.image.shape[1] * waiting.case.image.shape[2]
