"""How many multiply-adds convolutions and matrix products execute, whatever kernel they come to.

torch's own formulas, and ours for kernels that it does not count: attention on CPUs, and oneDNN's
convolutions and products with weights in their own order.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class MultiplyAdds(TorchDispatchMode):
    """Within its context every executed multiply-add goes into `total`."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Take an operation apart, or else count and do it."""
        kwargs = kwargs or {}
        formula = _FORMULAS.get(func._overloadpacket)
        if formula is None:
            with self:
                made = func.decompose(*args, **kwargs)
            if made is not NotImplemented:
                return made
        made = func(*args, **kwargs)
        if formula is not None:
            self.total += formula(*args, **kwargs, out_val=made) // 2
        return made


def _attention(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> int:
    """Operations of softmax(q k') v, two for a multiply-add."""
    batch, heads, queries, width = query.shape
    return 2 * batch * heads * queries * key.shape[2] * (width + value.shape[3])


def _convolution(_: Tensor, weight: Tensor, *__: Any, out_val: Tensor, **___: Any) -> int:
    """Every output value sums over one filter."""
    return 2 * out_val.numel() * (weight.numel() // weight.shape[0])


def _product(features: Tensor, *_: Any, out_val: Tensor, **__: Any) -> int:
    """Every output value sums over the last axis."""
    return 2 * out_val.numel() * features.shape[-1]


def _known() -> dict[Any, Callable[..., int]]:
    """Formulas by operation; a build of torch without oneDNN lacks its operations."""
    ours = {
        (torch.ops.aten, "_scaled_dot_product_flash_attention_for_cpu"): _attention,
        (torch.ops.mkldnn, "_convolution_pointwise"): _convolution,
        (torch.ops.mkldnn, "_linear_pointwise"): _product,
    }
    there = {getattr(space, name, None): formula for (space, name), formula in ours.items()}
    there.pop(None, None)
    return {**flop_registry, **there}


_FORMULAS = _known()
