"""A task of one number, so that the loop's own behaviour shows."""

import time
from contextlib import contextmanager

import torch
from numbered import Numbered, learned
from torch import nn

from monostep.training import loop
from monostep.training.config import TrainConfig
from monostep.training.learning import Learning
from monostep.training.world import World

ALONE = World(device=torch.device("cpu"))


class ConstantTask:
    """Wants its one weight to be 1; what is `wrong` shows from the second step on."""

    metric = "error"

    def __init__(self, scores=(), *, loss=1.0, wrong=None):
        self.trained = nn.Linear(1, 1, bias=False)
        nn.init.constant_(self.trained.weight, 0.25)
        self.scores = iter(scores)
        self.factor = loss
        self.wrong = wrong

    @property
    def model(self):
        return self.trained

    def loss(self, batch):
        brightness = 0.5 + (batch.samples.image.mean(dim=(1, 2, 3)) % 7) / 7
        error = (self.trained(brightness[:, None])[:, 0] - 1).square()
        if batch.step != 1 or self.wrong is None:
            return self.factor * error
        if self.wrong == "stuck":
            time.sleep(13)
        return {"nan": error * torch.nan, "invalid": error * 0, "endless": error / 0}.get(
            self.wrong, error
        )

    def score(self, samples):
        return torch.full((len(samples),), next(self.scores, 1.0))

    def predict(self, samples):
        return samples.depth_m

    @contextmanager
    def at_fault(self):
        """Inside, the data are those of `numbered`; unreadable or late if that is `wrong`."""
        unreadable = {"unreadable": 9}.get(self.wrong)
        source = Late(64) if self.wrong == "late" else Numbered(64)
        with learned(source if unreadable is None else Unreadable(64)):
            yield


class Late(Numbered):
    """Takes longer for its second step than anybody waits."""

    calls = 0

    def fetch(self, indices, size):
        self.calls += 1
        if self.calls == 3:  # the first is the preflight's
            time.sleep(8)
        return super().fetch(indices, size)


class Unreadable(Numbered):
    """One that breaks in the second step."""

    calls = 0

    def fetch(self, indices, size):
        self.calls += 1
        self.unreadable = indices[0] if self.calls == 3 else None
        return super().fetch(indices, size)


def learning(task, config: TrainConfig) -> Learning:
    """The task with its optimiser, as the loop puts them together."""
    optimiser = loop.new_optimiser(task.trained.parameters(), config)
    return Learning(trained=task.trained, optimiser=optimiser, others={})
