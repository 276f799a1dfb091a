"""Seconds per image of each way to run a model, all in one process, in turns, on one thread."""

import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.errors import MonostepWarning
from monostep.loading import load
from monostep.reproduction.trials import LCM, MEMBERS, ONCE, PATH, Way, sampled

ROUNDS = 5
# By what is trained: the ways that are worth a comparison.
_SAMPLED = (sampled("trailing", 1), sampled("leading", PATH), sampled("leading", PATH, MEMBERS))
WAYS: Mapping[str, tuple[Way, ...]] = {
    **{"depth": _SAMPLED, "lcm": LCM, "e2e-depth": (ONCE,)},
    **{"normals": _SAMPLED, "e2e-normals": (ONCE,)},
}


def timing(
    folders: Mapping[str, Path],
    image: Float[Tensor, "3 height width"],
    *,
    rounds: int = ROUNDS,
    ways: Mapping[str, tuple[Way, ...]] = WAYS,
) -> dict[str, Any]:
    """Median time of a call of the public predictor, from the image to its map.

    Args:
        folders: of models, by their names in `ways`.
        image: in [0, 1].
        rounds: through all ways, after one that does not count.
        ways: to be compared.

    Returns:
        Numbers for a file: `seconds` by "MODEL.WAY", all rounds in `each`, and what was measured.

    Raises:
        CheckpointError: a model that is not there or broken.
        SettingError: a way that a model cannot go.
    """
    predictors = {model: load(folders[model], device="cpu", dtype="fp32") for model in ways}
    calls = {
        f"{model}.{way.name}": partial(predictors[model], image, **way.asked)
        for model, its_ways in ways.items()
        for way in its_ways
    }
    each: dict[str, list[float]] = {name: [] for name in calls}
    with _one_thread():
        for number in range(rounds + 1):
            for name, call in calls.items():
                seconds = _seconds(call)
                if number > 0:
                    each[name].append(seconds)
    return {
        "seconds": {name: statistics.median(taken) for name, taken in each.items()},
        "each": each,
        "image": list(image.shape[1:]),
        "rounds": rounds,
        "threads": 1,
        "torch": str(torch.__version__),
    }


def _seconds(call: Callable[[], object]) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MonostepWarning)  # leading spacing is what is compared
        began = time.perf_counter()
        call()
        return time.perf_counter() - began


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
