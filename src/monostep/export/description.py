"""What an exported file says about itself: the model's card, its settings, its input and output."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float, UInt8

from monostep.predictor import Predictor
from monostep.results import Result, map_of

KEY = "monostep"  # of the metadata that holds the description as JSON
INPUT = "image"
Images: TypeAlias = UInt8[np.ndarray, "batch height width 3"]
Maps: TypeAlias = Float[np.ndarray, "batch height width *xyz"]
Run: TypeAlias = Callable[[Images], tuple[Maps, ...]]  # a written file, ready to use


@dataclass(frozen=True, kw_only=True)
class Description:
    """Names and meaning of the one input and of the outputs, of which a joint model has two."""

    outputs: tuple[str, ...]  # "depth", "normals" or both in this order
    values: dict[str, Any]

    @property
    def json(self) -> str:
        """All of it, as one line."""
        return json.dumps(self.values, sort_keys=True)


def describe(predictor: Predictor, result: Result) -> Description:
    """The description of a graph that makes maps like `result`."""
    card = predictor.card
    told = map_of(result, card.maps[0]).provenance.get("domain")  # the graph knows no other
    shape = ["batch", "height", "width", 3]
    image = {"name": INPUT, "type": "uint8", "shape": shape, "colours": "sRGB, red first"}
    outputs = {kind: _output(kind, result) for kind in card.maps}
    values: dict[str, Any] = {"card": replace(card, domain=told).as_dict(), "input": image}
    if len(outputs) == 1:
        values["output"] = outputs[card.maps[0]]
    else:
        values["outputs"] = outputs
    return Description(outputs=card.maps, values=values)


def _output(kind: str, result: Result) -> dict[str, Any]:
    free = ["batch", "height", "width"]
    shape = free if kind == "depth" else [*free, 3]
    about = map_of(result, kind).about()
    return {"name": kind, "type": "float32", "shape": shape, **about}
