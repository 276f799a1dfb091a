"""The models on a few pictures at once; one that fails does not take the others along."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from monostep.errors import InputError
from monostep.predictor import Predictor, Result, as_tensor
from monostep.runner import outputs
from monostep.runner.outputs import Picture
from monostep.runner.settings import Settings


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """Results by task, and the milliseconds of model time that the picture took."""

    results: Mapping[str, Result]
    milliseconds: float


def predict(
    pictures: Sequence[Picture], predictors: Mapping[str, Predictor], settings: Settings
) -> list[Prediction | InputError]:
    """What the models say about each picture, in order, or why they cannot."""
    try:
        return list(_together(pictures, predictors, settings))
    except InputError as error:
        reason = str(error)
    except (MemoryError, RuntimeError) as error:
        if not _is_memory(error):
            raise
        reason = "not enough memory; try a smaller --resolution or --batch-size"
    if len(pictures) == 1:
        return [InputError(f"{pictures[0].job.source}: {reason}")]
    return [predict([picture], predictors, settings)[0] for picture in pictures]


def _together(
    pictures: Sequence[Picture], predictors: Mapping[str, Predictor], settings: Settings
) -> list[Prediction]:
    start = time.perf_counter()
    images = [as_tensor(picture.photo.pixels) for picture in pictures]
    columns = {
        task: model.predict(images, resolution=outputs.resolution(model, settings))
        for task, model in predictors.items()
    }
    for model in predictors.values():
        if model.device.type == "cuda":
            torch.cuda.synchronize(model.device)  # else the clock stops before the work does
    each = (time.perf_counter() - start) * 1000 / len(pictures)
    return [
        Prediction(
            results={task: column[index] for task, column in columns.items()}, milliseconds=each
        )
        for index in range(len(pictures))
    ]


def _is_memory(error: Exception) -> bool:
    """Tell whether it is the memory: PyTorch on the CPU says so in words only."""
    kinds = (MemoryError, torch.OutOfMemoryError)
    return isinstance(error, kinds) or "allocate memory" in str(error)
