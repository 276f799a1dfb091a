"""The card: what a model predicts, how to run it, where it comes from, how good it is."""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

import torch
from torch import Tensor

from monostep.errors import CheckpointError
from monostep.geometry.depth import Invariance, Quantity
from monostep.geometry.domain import Domain
from monostep.geometry.frames import Frame

FORMAT = 1

Task: TypeAlias = Literal["depth", "normals", "geometry"]  # geometry: depth and normals together
Attention: TypeAlias = Literal["joint", "separate"]
Family: TypeAlias = Literal["end-to-end", "diffusion", "consistency"]
Noise: TypeAlias = Literal["zeros", "gaussian", "pyramid", "pyramid-geowizard"]
Spacing: TypeAlias = Literal["trailing", "leading", "linspace", "lcm"]
Last: TypeAlias = Literal["clean", "previous"]
Grade: TypeAlias = Literal["self-test", "published", "user"]

ALLOWED: dict[str, tuple[str | None, ...]] = {
    "task": get_args(Task),
    "quantity": (None, *get_args(Quantity)),
    "invariance": (None, *get_args(Invariance)),
    "frame": (None, *get_args(Frame)),
    "family": get_args(Family),
    "noise": get_args(Noise),
    "spacing": get_args(Spacing),
    "last": get_args(Last),
    "grade": get_args(Grade),
    "domain": (None, *get_args(Domain)),
    "attention": (None, *get_args(Attention)),
}
MAPS: Mapping[str, tuple[str, ...]] = {  # what each task's results are of
    "depth": ("depth",),
    "normals": ("normals",),
    "geometry": ("depth", "normals"),
}
SAID: Mapping[str, tuple[str, ...]] = {  # what a model of each task must say
    "depth": ("quantity", "invariance"),
    "normals": ("frame",),
    "geometry": ("quantity", "invariance", "frame", "domain", "attention"),
}
LEAST = {"resolution": 0, "steps": 1, "ensemble": 1}


@dataclass(frozen=True, kw_only=True)
class Card:
    """Everything a model says about itself; stored as `card.json` in its folder."""

    name: str
    task: Task
    quantity: str | None = None  # of depth: "depth", "disparity", ...
    invariance: str | None = None  # of depth: "affine", "scale", "metric"
    frame: str | None = None  # of normals: the network's own
    resolution: int = 768  # long side at which the network looks at a picture
    family: Family = "end-to-end"  # how it was trained
    steps: int = 1
    ensemble: int = 1
    noise: Noise = "zeros"
    spacing: Spacing = "trailing"
    last: Last = "clean"  # what the last step returns
    domain: str | None = None  # of geometry: where a picture was taken unless that is said
    attention: str | None = None  # of geometry: "joint", depth and normals see each other
    source: Mapping[str, Any] = field(default_factory=dict)  # id, commit, files
    grade: Grade = "user"
    licence: str = "unknown"
    recipe: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    tensor_hash: str | None = None
    format: int = FORMAT

    @property
    def maps(self) -> tuple[str, ...]:
        """What its results are of: depth, normals or both."""
        return MAPS[self.task]

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
        _check_values(values)
        try:
            card = Card(**values)
        except TypeError as error:
            raise CheckpointError(f"card: {error}") from error
        card.check()
        return card

    def check(self) -> None:
        """Raise CheckpointError if the card does not say what this version must know and can do."""
        _check_values(self.as_dict())
        if any(getattr(self, name) is None for name in SAID[self.task]):
            names = " and ".join(SAID[self.task])
            raise CheckpointError(f"card: a {self.task} model must say its {names}")
        for name in ("domain", "attention"):
            if name not in SAID[self.task] and getattr(self, name) is not None:
                raise CheckpointError(
                    f"card: {name} {getattr(self, name)!r} in a {self.task} model's; it is of "
                    "task geometry alone, remove it"
                )


def _check_values(values: Mapping[str, Any]) -> None:
    for name in values.keys() & ALLOWED:
        if values[name] not in ALLOWED[name]:
            expected = " or ".join(str(choice) for choice in ALLOWED[name])
            raise CheckpointError(f"card: {name} {values[name]!r}; expected {expected}")
    for name in values.keys() & LEAST:
        if type(values[name]) is not int or values[name] < LEAST[name]:
            raise CheckpointError(
                f"card: {name} {values[name]!r}; expected a whole number >= {LEAST[name]}"
            )


def tensor_hash(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes of all tensors, in order of their names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
