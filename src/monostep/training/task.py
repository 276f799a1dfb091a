"""What the loop must know of a task."""

from collections.abc import Mapping
from typing import Protocol, TypeAlias, runtime_checkable

from jaxtyping import Float
from torch import Tensor, nn

from monostep.data.samples import Samples
from monostep.training.batch import Batch

PerImage: TypeAlias = Float[Tensor, " batch"]


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

    def predict(self, samples: Samples) -> Tensor:
        """What the model makes of each image, to look at.

        Depth [batch, height, width], small where near, or normals [batch, 3, height, width] in
        the OpenCV frame.
        """
        ...


def needs_truth(task: object) -> bool:
    """Whether depth or normals are needed; a task that learns from a teacher says it is not."""
    return getattr(task, "needs_truth", True)


def carried(task: object) -> Mapping[str, nn.Module]:
    """Modules that a task changes from step to step besides what learns, by name; usually none."""
    return getattr(task, "carried", {})
