"""A depth map that says what it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from monostep.errors import ScaleError
from monostep.files import maps, preview
from monostep.geometry import saving
from monostep.geometry.camera import Camera

Quantity: TypeAlias = Literal["depth", "disparity", "sqrt_disparity", "log_depth"]
Invariance: TypeAlias = Literal["affine", "scale", "metric"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Depth:
    """Depth of every pixel of an image, along the optical axis.

    Affine depth lies in [0, 1], 0 near: the true depth is some scale > 0 times it, plus a shift.
    """

    tensor: Float[Tensor, "height width"]
    quantity: Quantity = "depth"
    invariance: Invariance = "affine"
    unit: str | None = None  # "m" for metric depth
    valid: Bool[Tensor, "height width"] | None = None  # None: every pixel counts
    uncertainty: Float[Tensor, "height width"] | None = None  # spread of members, in the map's unit
    camera: Camera | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> Float[np.ndarray, "height width"]:
        """The map as float32 numpy."""
        return self.tensor.detach().float().cpu().numpy()

    @property
    def metres(self) -> Float[np.ndarray, "height width"]:
        """The map in metres; ScaleError unless it is metric."""
        if self.invariance != "metric" or self.unit != "m":
            known = {"affine": "up to scale and shift", "scale": "up to scale"}
            raise ScaleError(
                f"this depth is known only {known.get(self.invariance, 'without unit')}: it has no "
                "metres; give it a scale first: a least-squares fit to a few pixels of known depth "
                "(monostep.geometry.alignment.fit), a depth sensor, or a metric model"
            )
        return self.values

    def about(self) -> dict[str, Any]:
        """What the map is, as plain values for files."""
        return {
            "kind": "depth",
            "quantity": self.quantity,
            "invariance": self.invariance,
            "unit": self.unit,
            "near": "small" if self.quantity in ("depth", "log_depth") else "large",
            "axis": "z, along the optical axis",
            "provenance": dict(self.provenance),
        }

    def preview(self) -> np.ndarray:
        """The map in false colours, near red, uint8 [height, width, 3]."""
        valid = None if self.valid is None else self.valid.cpu().numpy()
        return preview.depth_preview(self.values, valid, near=self.about()["near"])

    def save(self, path: str | Path) -> None:
        """Write the map as its ending says: .npy (with a .json), .npz, .png, .exr, .tiff."""
        saving.save(maps.write_depth, Path(path), self.values, self.about())
