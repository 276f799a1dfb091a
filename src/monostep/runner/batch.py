"""The models on a few pictures at once; one that fails does not take the others along."""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from monostep.errors import CheckpointError, InputError
from monostep.pictures import as_tensor
from monostep.predictor import AT_ONCE, Predictor
from monostep.results import MapResult, map_of
from monostep.runner.outputs import Picture
from monostep.runner.plan import Plan

# What PyTorch, its allocators and libraries say when memory ends, besides the types below.
_MEMORY_WORDS = ("allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")
_TOO_LARGE = "not enough memory for this image alone; try a smaller --resolution"


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """Results by task, on the CPU, and the milliseconds of model time that the picture took."""

    results: Mapping[str, MapResult]
    milliseconds: float


class Models:
    """The models of a run, and how much of it goes through them at once.

    `at_once` counts images, which is 1 for ensembles, whose members go alone. It is halved whenever
    memory ends, said in one line through `say`, and never grows again.
    """

    def __init__(
        self, predictors: Mapping[str, Predictor], plan: Plan, say: Callable[[str], None]
    ) -> None:
        self._predictors, self._inferences, self._say = predictors, plan.inferences, say
        self._tasks: dict[Predictor, list[str]] = {}  # a joint model does both in one pass
        for task, model in predictors.items():
            self._tasks.setdefault(model, []).append(task)
        self.device = next(iter(predictors.values())).device
        self.at_once = plan.settings.batch_size or AT_ONCE.get(self.device.type, 1)
        if any(inference.ensemble > 1 for inference in plan.inferences.values()):
            if plan.settings.batch_size > 1:
                say("members of an ensemble go one by one, so the batch size is 1")
            self.at_once = 1

    def pictures_at_once(self) -> int:
        """How many pictures make a batch."""
        return self.at_once

    def padded(self, picture: Picture) -> Hashable:
        """What the models see of the picture: equals can share a batch."""
        size = (picture.input.height, picture.input.width)
        return tuple(
            model.padded(size, self._inferences[task]) for task, model in self._predictors.items()
        )

    def predict(self, pictures: Sequence[Picture]) -> list[Prediction | InputError]:
        """What the models say about each picture, in order, or why they cannot."""
        try:
            return list(self._together(pictures))
        except (InputError, CheckpointError) as error:
            reason = str(error)
        except (MemoryError, RuntimeError) as error:
            if not is_memory(error):
                raise
            reason = _TOO_LARGE
        # Only here, without the error and the tensors that its traceback holds, can memory be had.
        if reason == _TOO_LARGE and self._halve(len(pictures)):
            return self.predict(pictures)
        if len(pictures) == 1:
            return [InputError(f"{pictures[0].job.source}: {reason}")]
        return [self.predict([picture])[0] for picture in pictures]

    def _halve(self, pictures: int) -> bool:
        """Let less go through the models at once, if it can be less."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        used = min(self.at_once, pictures)
        if used == 1:
            return False
        self.at_once = used // 2
        self._say(f"out of memory with {used} images at once; going on with {self.at_once}")
        return True

    def _together(self, pictures: Sequence[Picture]) -> list[Prediction]:
        start = time.perf_counter()
        images = [as_tensor(picture.photo.pixels) for picture in pictures]
        columns: dict[str, list[MapResult]] = {}
        for model, tasks in self._tasks.items():
            said = model.predict(images, self._inferences[tasks[0]], at_once=self.at_once)
            for task in tasks:
                columns[task] = [_on_cpu(map_of(result, task)) for result in said]
        each = (time.perf_counter() - start) * 1000 / len(pictures)
        return [
            Prediction(
                results={task: column[index] for task, column in columns.items()}, milliseconds=each
            )
            for index in range(len(pictures))
        ]


def _on_cpu(result: MapResult) -> MapResult:
    """The result without the device's memory, which what waits to be written must not hold."""
    uncertainty = None if result.uncertainty is None else result.uncertainty.cpu()
    return replace(result, tensor=result.tensor.cpu(), uncertainty=uncertainty)


def is_memory(error: Exception) -> bool:
    """Tell whether it is the memory: PyTorch on the CPU says so in words only."""
    kinds = (MemoryError, torch.OutOfMemoryError)
    return isinstance(error, kinds) or any(words in str(error) for words in _MEMORY_WORDS)
