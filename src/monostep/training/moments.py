"""What an optimiser carries for each weight, as plain tensors for a file, and back.

AdamW has two moments and a count of steps as tensors; bitsandbytes counts in whole numbers, keeps
moments in bytes and one code book for all weights.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

COUNT = "step"


def carried(optimiser: torch.optim.Optimizer, parameter: nn.Parameter) -> dict[str, Tensor]:
    """The optimiser's state of a parameter: tensors of which no two share memory."""
    found = {}
    for name, value in optimiser.state.get(parameter, {}).items():
        tensor = value.detach() if isinstance(value, Tensor) else torch.tensor(value)
        found[name] = tensor if tensor.shape == parameter.shape else tensor.clone()
    return found


def give_back(
    optimiser: torch.optim.Optimizer, parameter: nn.Parameter, tensors: Mapping[str, Tensor]
) -> None:
    """Put the state of a parameter back, on the devices where the optimiser wants it."""
    state = {}
    for name, tensor in tensors.items():
        if name == COUNT and not tensor.is_floating_point():
            state[name] = int(tensor)
        elif name == COUNT and not _fused(optimiser, parameter):
            state[name] = tensor.cpu()
        else:
            state[name] = tensor.to(parameter.device)
    optimiser.state[parameter] = state


def _fused(optimiser: torch.optim.Optimizer, parameter: nn.Parameter) -> bool:
    """Whether the parameter is updated in one pass, which wants the count beside the weight."""
    return any(
        bool(group.get("fused"))
        for group in optimiser.param_groups
        if any(parameter is one for one in group["params"])
    )
