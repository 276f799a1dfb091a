"""The card: what a model predicts, how to run it, where it comes from, how good it is."""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor

from monostep.errors import CheckpointError

FORMAT = 1


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
        if values.get("format", 0) > FORMAT:
            raise CheckpointError(
                f"card format {values['format']} is newer than {FORMAT}: upgrade monostep"
            )
        try:
            return Card(**values)
        except TypeError as error:
            raise CheckpointError(f"card: {error}") from error


def tensor_hash(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes of all tensors, in order of their names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
