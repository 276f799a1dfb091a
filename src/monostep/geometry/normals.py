"""A map of surface normals that says in which frame it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from monostep.files import maps, preview
from monostep.geometry import frames, saving
from monostep.geometry.frames import Frame


@dataclass(frozen=True, kw_only=True, eq=False)
class Normals:
    """Unit surface normal of every pixel of an image, facing the camera."""

    tensor: Float[Tensor, "3 height width"]
    frame: Frame = "opencv"
    valid: Bool[Tensor, "height width"] | None = None  # None: every pixel counts
    uncertainty: Float[Tensor, "height width"] | None = None  # mean angle of members, / pi
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> Float[np.ndarray, "height width 3"]:
        """The map as float32 numpy, unit length."""
        return np.ascontiguousarray(self.tensor.detach().float().cpu().permute(1, 2, 0).numpy())

    def to(self, frame: str) -> "Normals":
        """The same normals in another named frame (SettingError for an unknown one)."""
        target = frames.check(frame)
        return replace(
            self,
            tensor=frames.convert(self.tensor, source=self.frame, target=target),
            frame=target,
        )

    def about(self) -> dict[str, Any]:
        """What the map is, as plain values for files."""
        x, y, z = frames.SIGNS[self.frame]
        axes = [
            "x right" if x > 0 else "x left",
            "y down" if y > 0 else "y up",
            "z into the scene" if z > 0 else "z towards the camera",
        ]
        return {
            "kind": "normals",
            "frame": self.frame,
            "axes": ", ".join(axes),
            "provenance": dict(self.provenance),
        }

    def preview(self) -> np.ndarray:
        """The map in the usual colours, uint8 [height, width, 3]."""
        valid = None if self.valid is None else self.valid.cpu().numpy()
        return preview.normals_preview(self.to("opencv").values, valid)

    def save(self, path: str | Path) -> None:
        """Write the map as its ending says: .npy (with a .json), .npz, .png, .exr, .tiff."""
        saving.save(maps.write_normals, Path(path), self.values, self.about())
