"""What each stage of a prediction takes, told from inside the whole prediction.

The methods that are the stages get wrapped; what else is done shows as the rest of the whole. The
same wrapping tells seconds and multiply-adds.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from monostep.benchmark.multiply_adds import MultiplyAdds

WHOLE = "whole"
STAGES = ("encode", "unet", "decode")


@dataclass(frozen=True, kw_only=True)
class Part:
    """A stage as the method of an object: what can be wrapped, or replaced by a compiled one."""

    stage: str
    owner: Any
    method: str

    def replace(self, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        """Put what `change` makes of the method in its place."""
        setattr(self.owner, self.method, change(getattr(self.owner, self.method)))


class Stopwatch:
    """Wraps the stages; `seconds` and `multiply_adds` run a prediction and tell what each took."""

    def __init__(self, parts: list[Part], device: torch.device) -> None:
        self._device = device
        self._mark: Callable[[], Any] | None = None
        self._marks: list[tuple[str, Any, Any]] = []
        for part in parts:
            part.replace(lambda work, stage=part.stage: self._wrapped(stage, work))

    def seconds(self, predict: Callable[[], object]) -> dict[str, float]:
        """Seconds of every stage and of the whole, from an idle device until it is done."""
        on_gpu = self._device.type == "cuda"
        self._wait()
        begin = time.perf_counter()
        with self._marking(self._event if on_gpu else time.perf_counter):
            predict()
        self._wait()
        whole = time.perf_counter() - begin
        taken = (lambda a, b: a.elapsed_time(b) / 1000) if on_gpu else (lambda a, b: b - a)
        return self._sums(taken) | {WHOLE: whole}

    def multiply_adds(self, predict: Callable[[], object]) -> dict[str, int]:
        """Multiply-adds that every stage and the whole execute, uncompiled."""
        counter = MultiplyAdds()
        eager = torch.compiler.set_stance("force_eager")
        with eager, counter, self._marking(lambda: counter.total):
            predict()
        return self._sums(lambda begin, end: end - begin) | {WHOLE: counter.total}

    def _wrapped(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def stage_of_a_prediction(*args: Any, **kwargs: Any) -> Any:
            if self._mark is None:
                return work(*args, **kwargs)
            begin = self._mark()
            done = work(*args, **kwargs)
            self._marks.append((stage, begin, self._mark()))
            return done

        return stage_of_a_prediction

    @contextmanager
    def _marking(self, mark: Callable[[], Any]) -> Iterator[None]:
        self._marks, self._mark = [], mark
        try:
            yield
        finally:
            self._mark = None

    def _sums(self, taken: Callable[[Any, Any], Any]) -> dict[str, Any]:
        """Per stage the sum over its calls, of which steps and members make several."""
        sums: dict[str, Any] = {}
        for stage, begin, end in self._marks:
            sums[stage] = sums.get(stage, 0) + taken(begin, end)
        return sums

    def _event(self) -> torch.cuda.Event:
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self._device))
        return event

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
