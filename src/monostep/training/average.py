"""The exponential moving average of the weights that learn.

    a <- d a + (1 - d) w,    d = min(decay, (1 + n) / (10 + n)),    n = 0, 1, ... steps

The warm-up lets the first averages forget the initial weights; it is that of TensorFlow's
tf.train.ExponentialMovingAverage with `num_updates`.

Not torch.optim.swa_utils.AveragedModel: it copies the whole module, frozen parts too, knows no
warm-up, and cannot lend its weights to a module that others hold.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from monostep.errors import SettingError, TrainingError
from monostep.training.precision import check_master


def decay_at(step: int, decay: float) -> float:
    """The decay of an optimiser step (from 0)."""
    return min(decay, (1 + step) / (10 + step))


class Average:
    """Averages of those weights of a module that require a gradient; at first, the weights."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        """Begin at the module's present weights.

        Raises:
            SettingError: a decay outside (0, 1).
            TrainingError: a weight that learns is not at least float32.
        """
        if not 0 < decay < 1:
            raise SettingError(f"average is {decay}: the decay must be above 0 and below 1")
        check_master(module)
        self.decay = decay
        self._weights = {n: p for n, p in module.named_parameters() if p.requires_grad}
        self._averages = {n: p.detach().clone() for n, p in self._weights.items()}
        self._swapped = False

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights that optimiser step `step` (from 0) has left."""
        self._must_not_be_swapped()
        share = 1 - decay_at(step, self.decay)
        for name, average in self._averages.items():
            average.lerp_(self._weights[name], share)

    @contextmanager
    def swap(self) -> Iterator[None]:
        """Inside the block the module has the averaged weights: to validate, and to save."""
        self._must_not_be_swapped()
        self._exchange()
        self._swapped = True
        try:
            yield
        finally:
            self._swapped = False
            self._exchange()

    def state_dict(self) -> dict[str, Tensor]:
        """The averages by the names of their weights, not copied; for the resume file."""
        self._must_not_be_swapped()
        return dict(self._averages)

    @torch.no_grad()
    def load_state_dict(self, averages: Mapping[str, Tensor]) -> None:
        """Take stored averages over; TrainingError if they are not those of these weights."""
        self._must_not_be_swapped()
        ours = {name: tuple(tensor.shape) for name, tensor in self._averages.items()}
        given = {name: tuple(tensor.shape) for name, tensor in averages.items()}
        if given != ours:
            first = sorted(dict(given.items() ^ ours.items()))[0]
            raise TrainingError(
                f"averaged weights: {first} is {given.get(first, 'missing')}, expected "
                f"{ours.get(first, 'nothing')}; resume with the run's own recipe"
            )
        for name, average in self._averages.items():
            average.copy_(averages[name])

    @torch.no_grad()
    def _exchange(self) -> None:
        for name, weight in self._weights.items():
            average = self._averages[name]
            kept = weight.clone()
            weight.copy_(average)
            average.copy_(kept)

    def _must_not_be_swapped(self) -> None:
        if self._swapped:
            raise TrainingError(
                "the averaged weights are in use: expected the end of `swap()` before they are "
                "updated, saved or swapped again; leave its block first"
            )
