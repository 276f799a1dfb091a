"""What an exported file says about itself: the model's card, its settings, its input and output."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float, UInt8

from monostep.predictor import Predictor
from monostep.results import Result

KEY = "monostep"  # of the metadata that holds the description as JSON
INPUT = "image"
Images: TypeAlias = UInt8[np.ndarray, "batch height width 3"]
Maps: TypeAlias = Float[np.ndarray, "batch height width *xyz"]
Run: TypeAlias = Callable[[Images], Maps]  # a written file, ready to use


@dataclass(frozen=True, kw_only=True)
class Description:
    """Names and meaning of the one input and the one output."""

    output: str  # "depth" or "normals", also the output's name
    values: dict[str, Any]

    @property
    def json(self) -> str:
        """All of it, as one line."""
        return json.dumps(self.values, sort_keys=True)


def describe(predictor: Predictor, result: Result) -> Description:
    """The description of a graph that makes maps like `result`."""
    task = predictor.card.task
    free = ["batch", "height", "width"]
    image = {"name": INPUT, "type": "uint8", "shape": [*free, 3], "colours": "sRGB, red first"}
    shape = free if task == "depth" else [*free, 3]
    maps = {"name": task, "type": "float32", "shape": shape}
    values = {
        "card": predictor.card.as_dict(),
        "input": image,
        "output": {**maps, **result.about()},
    }
    return Description(output=task, values=values)
