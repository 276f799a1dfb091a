"""A row of the paper's tables: a method, its published scores, and how it can be run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from monostep.checkpoints.card import Attention, Noise, Spacing
from monostep.evaluation.rules import Task
from monostep.geometry.depth import Quantity
from monostep.geometry.frames import Frame

How: TypeAlias = Literal["runnable", "predictions", "published"]
"""runnable: by monostep; predictions: another program's can be scored; published: neither."""

Cell: TypeAlias = tuple[float, float]
"""AbsRel and delta1 in percent; or mean angle in degrees and percent of pixels below 11.25."""

DEPTH = ("nyuv2", "kitti", "eth3d", "scannet", "diode")
NORMALS = ("nyuv2-normals", "scannet-normals", "ibims", "sintel")
_TITLES = ("NYUv2", "KITTI", "ETH3D", "ScanNet", "DIODE", "NYUv2", "ScanNet", "iBims-1", "Sintel")
TITLES = dict(zip((*DEPTH, *NORMALS), _TITLES, strict=True))

METRICS: dict[Task, tuple[str, str]] = {
    "depth": ("abs_rel", "delta1"),
    "normals": ("mean_angle_deg", "within_11.25_deg"),
}
PROTOCOLS: dict[Task, str] = {"depth": "marigold-2024", "normals": "e2e-ft-2024"}


@dataclass(frozen=True, kw_only=True)
class Run:
    """A checkpoint and how it is run."""

    checkpoint: str | None  # Hub id; None: nobody published one
    steps: int = 1
    ensemble: int = 1
    noise: Noise = "zeros"
    spacing: Spacing = "trailing"
    frame: Frame | None = None  # the network's own, of a checkpoint that does not say it
    attention: Attention | None = None  # of a joint model
    train: str | None = None  # the command that makes such a checkpoint


@dataclass(frozen=True, kw_only=True)
class Row:
    """A method and its published scores, by benchmark."""

    method: str
    task: Task
    cells: Mapping[str, Cell]
    how: How
    run: Run | None = None
    quantity: Quantity | None = None  # of another program's predictions, where that is not depth
    samples: str | None = None  # images that it was trained on
    seconds: float | None = None  # for an image of 576x768 on an RTX 4090
    note: str | None = None
