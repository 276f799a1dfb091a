"""A source whose images say which they are: image n is of colour n, its left half darker."""

from contextlib import contextmanager
from unittest.mock import patch

import torch

from monostep.data.samples import Samples
from monostep.errors import InputError
from monostep.recipes import recipe
from monostep.training import order
from monostep.training.overriding import override


class Numbered:
    """So many images, of which `unreadable` may be one."""

    def __init__(self, count, label="n", unreadable=None):
        self.count = count
        self.label = label
        self.unreadable = unreadable

    def name(self, index):
        """The label and the number."""
        return f"{self.label}{index}"

    def fetch(self, indices, size):
        """Images whose colours are their numbers."""
        if self.unreadable in indices:
            raise InputError(f"{self.name(self.unreadable)}: cannot be read")
        batch, (height, width) = len(indices), size
        colour = torch.tensor(indices, dtype=torch.float32)[:, None, None, None]
        image = colour.expand(batch, 3, height, width).clone()
        image[..., : width // 2] -= 0.25
        everywhere = torch.ones(batch, height, width)
        return Samples(
            image=image,
            depth_m=everywhere,
            normals=torch.zeros_like(image),
            valid=everywhere.bool(),
            sky=~everywhere.bool(),
            intrinsics=torch.eye(3).expand(batch, 3, 3),
            kind=torch.zeros(batch, dtype=torch.int64),
        )


@contextmanager
def learned(*sources):
    """Inside, every run learns from these."""
    with patch.object(order.source, "training", lambda config: list(sources)):  # noqa: ARG005
        yield


def config(*settings):
    """Ten steps of four small images, and then of two larger."""
    small = ["steps=10", "phases=[[0,2,2,4],[0.35,4,4,2]]", "precision=fp32", "device=cpu"]
    return override(recipe("nano-depth"), [*small, *settings])
