"""monostep: depth and surface normals of a single image, in one deterministic step.

    import monostep
    depth = monostep.load("nano-depth")("photo.jpg")
    depth.values, depth.save("photo.depth.npy")

Names are imported when they are first used, so that `import monostep` does not import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from monostep._version import __version__
from monostep.errors import MonostepError, MonostepWarning

if TYPE_CHECKING:
    from monostep.geometry.camera import Camera
    from monostep.geometry.depth import Depth
    from monostep.geometry.geometry import Geometry
    from monostep.geometry.normals import Normals
    from monostep.loading import load
    from monostep.predictor import Predictor

__all__ = [
    "Camera",
    "Depth",
    "Geometry",
    "MonostepError",
    "MonostepWarning",
    "Normals",
    "Predictor",
    "__version__",
    "load",
]

_HOMES = {
    "Camera": "monostep.geometry.camera",
    "Depth": "monostep.geometry.depth",
    "Geometry": "monostep.geometry.geometry",
    "Normals": "monostep.geometry.normals",
    "Predictor": "monostep.predictor",
    "load": "monostep.loading",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'monostep' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
