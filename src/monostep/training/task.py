"""What the loop must know of a task."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from monostep.data.samples import Samples
from monostep.training.batch import Batch

PerImage: TypeAlias = Float[Tensor, " batch"]
Predicted: TypeAlias = Tensor | tuple[Tensor, Tensor]


@runtime_checkable
class Task(Protocol):
    """A network that learns, its loss and its validation score (better when lower)."""

    metric: str

    @property
    def model(self) -> nn.Module:
        """All of the network, the frozen parts included."""
        ...

    @property
    def trained(self) -> nn.Module:
        """The part whose weights learn."""
        ...

    def loss(self, batch: Batch) -> PerImage:
        """The loss of each image; a step follows the gradient of their mean.

        An image without truth has loss 0 that is still connected to the weights.
        """
        ...

    def score(self, samples: Samples) -> PerImage:
        """The validation error of each image."""
        ...

    def predict(self, samples: Samples) -> Predicted:
        """What the model makes of each image, to look at.

        Depth [batch, height, width], small where near, or normals [batch, 3, height, width] in
        the OpenCV frame, or one after the other.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Measured:
    """An error of each image, and which images have the truth that it is measured against."""

    error: PerImage
    told: Bool[Tensor, " batch"]


def measured(task: Task, samples: Samples) -> Mapping[str, Measured]:
    """What validation measures of each image by name: the score, or its parts if it has any."""
    parts = getattr(task, "parts", None)
    if parts is not None:
        return parts(samples)
    valid = samples.valid.flatten(1).any(dim=1)
    told = valid if needs_truth(task) else torch.ones_like(valid)
    return {task.metric: Measured(error=task.score(samples), told=told)}


def summed_up(task: Task, means: Mapping[str, float]) -> dict[str, float]:
    """The means over the images, and before them the score of a task that has parts."""
    whole = getattr(task, "whole", None)
    return dict(means) if whole is None else {task.metric: whole(means), **means}


def needs_truth(task: object) -> bool:
    """Whether depth or normals are needed; a task that learns from a teacher says it is not."""
    return getattr(task, "needs_truth", True)


def carried(task: object) -> Mapping[str, nn.Module]:
    """Modules that a task changes from step to step besides what learns, by name; usually none."""
    return getattr(task, "carried", {})
