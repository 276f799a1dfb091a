"""The card: what a model predicts, how to run it, where it comes from, how good it is."""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from monostep.errors import CheckpointError

FORMAT = 1
ONE_STEP = (1, 1, "zeros", "trailing")  # steps, ensemble, noise, spacing


@dataclass(frozen=True, kw_only=True)
class Card:
    """Everything a model says about itself; stored as `card.json` in its folder."""

    name: str
    task: Literal["depth", "normals"]
    quantity: str | None = None  # of depth: "depth", "disparity", ...
    invariance: str | None = None  # of depth: "affine", "scale", "metric"
    frame: str | None = None  # of normals: the network's own
    resolution: int = 768  # long side at which the network looks at a picture
    steps: int = 1
    ensemble: int = 1
    noise: str = "zeros"
    spacing: str = "trailing"
    grade: Literal["self-test", "published", "user"] = "user"
    licence: str = "unknown"
    recipe: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    tensor_hash: str | None = None
    format: int = FORMAT

    def as_dict(self) -> dict[str, Any]:
        """The card as plain values."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> "Card":
        """The card of these values; CheckpointError for a newer format or unknown entries."""
        if values.get("format") not in range(FORMAT + 1):
            raise CheckpointError(
                f"card format {values.get('format')}: this version knows up to {FORMAT}; "
                "upgrade monostep"
            )
        try:
            card = Card(**values)
        except TypeError as error:
            raise CheckpointError(f"card: {error}") from error
        card.check()
        return card

    def check(self) -> None:
        """Raise CheckpointError if the card does not say what this version must know and can do."""
        if self.task not in ("depth", "normals"):
            raise CheckpointError(f"card: task {self.task!r}; expected depth or normals")
        said = {"depth": (self.quantity, self.invariance), "normals": (self.frame,)}[self.task]
        if None in said:
            raise CheckpointError(
                f"card: a {self.task} model must say its "
                + ("quantity and invariance" if self.task == "depth" else "frame")
            )
        asks = (self.steps, self.ensemble, self.noise, self.spacing)
        if asks != ONE_STEP:
            raise CheckpointError(
                f"card: steps, ensemble, noise, spacing are {asks}; this version runs {ONE_STEP}"
            )


def tensor_hash(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes of all tensors, in order of their names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
