"""The graph of a predictor as torch.export sees it, for any batch, height and width."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.export import Dim, ExportedProgram
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from monostep.export.graph import ImageToMaps
from monostep.inference import Inference
from monostep.predictor import Predictor

# Numbers that occur nowhere in a network, so that no length is taken for one of its constants.
_EXAMPLE = (5, 211, 173, 3)


def trace(predictor: Predictor, how: Inference) -> ExportedProgram:
    """The whole way of a predictor, uint8 [B, H, W, 3] to float32, with its weights."""
    predictor.network.state_dict()  # weights that are packed for speed are plain again when asked
    graph = ImageToMaps(predictor, how).eval()
    image = torch.zeros(_EXAMPLE, dtype=torch.uint8)
    dynamic = {0: Dim("batch"), 1: Dim("height"), 2: Dim("width")}
    with torch.no_grad(), warnings.catch_warnings(), ContiguousNorms():
        warnings.simplefilter("ignore")  # torch warns about itself
        return torch.export.export(graph, (image,), dynamic_shapes=(dynamic,), strict=False)


class ContiguousNorms(TorchFunctionMode):
    """Gives group norms contiguous maps.

    Of others torch asks whether a side is longer than one pixel, which is open while they are
    symbols. A layout is nothing that an exported graph has.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """The call, its first argument contiguous if it is a group norm."""
        if func is F.group_norm:
            args = (args[0].contiguous(), *args[1:])
        return func(*args, **(kwargs or {}))
