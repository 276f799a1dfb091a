"""A task small enough to see through: brightness of an image to one number per image."""

import torch
from torch import nn


class Net(nn.Module):
    """A frozen factor before a line that learns."""

    def __init__(self):
        super().__init__()
        self.frozen = nn.Linear(1, 1, bias=False)
        self.line = nn.Linear(1, 1)
        nn.init.ones_(self.frozen.weight)
        nn.init.zeros_(self.line.weight)
        nn.init.zeros_(self.line.bias)
        self.frozen.requires_grad_(requires_grad=False)

    def forward(self, values):
        return self.line(self.frozen(values))


class LineTask:
    """Fits 2 x brightness + 1."""

    metric = "error"

    def __init__(self):
        self.model = Net()
        self.trained = self.model.line

    def error(self, samples):
        brightness = samples.image.mean(dim=(1, 2, 3))[:, None]
        return (self.model(brightness) - (2 * brightness + 1))[:, 0].square()

    def loss(self, batch):
        return self.error(batch.samples)

    def score(self, samples):
        return self.error(samples)

    def predict(self, samples):
        return samples.image.mean(dim=1) * self.trained.weight[0, 0]


def batch(count=2, step=0):
    """Procedural scenes as a batch."""
    from monostep.data.procedural import render
    from monostep.training.batch import Batch

    names = tuple(f"image {k}" for k in range(count))
    samples = render(1, range(count), (8, 8))
    return Batch(samples=samples, step=step, seeds=tuple(range(count)), names=names)


HERE = torch.device("cpu")
