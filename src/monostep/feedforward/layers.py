"""Convolutions and products whose weights the CPU's kernels keep in the order they read them in.

oneDNN wants weights in blocks, and otherwise sorts them again at every call: most of the time of a
layer with much weight and few pixels. `Packed` layers sort theirs once, when they are first used
for inference (torch.inference_mode) on a CPU, and hold no second copy. The result of a convolution
stays the same to the last bit, but for 1x1 ones, which become matrix products. `unpack` gives the
plain weights back; asking a network for its parameters does it too (`network.FeedForward`).

The order that a convolution wants may depend on the size of its map, and weights in another one
are sorted at each call, 50 times as slowly as plain ones. So a map of another size packs anew.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int8
from torch import Tensor, nn
from torch.nn import functional as F

from monostep.feedforward.pages import LARGE, give_back
from monostep.feedforward.stream import is_free
from monostep.network.blocks import Features

Read = Callable[[], Tensor]
_PACKED_DTYPES = (torch.float32, torch.bfloat16)


class Weighted(nn.Module):
    """A layer with a weight that may be stored in 8 bits, times a scale for each output."""

    weight: nn.Parameter | None
    scale: Tensor | None
    output_axis: int = 0  # of the weight
    _read: Read | None = None  # of a weight that is left in its file
    _in_file: torch.dtype = torch.float32  # its precision
    file_bytes: int = 0  # its size

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", None)

    def plain(self) -> Tensor:
        """The weight as it enters the product."""
        weight = self.weight if self._read is None else self._read()
        assert weight is not None
        return weight if self.scale is None else weight.to(self.scale.dtype) * self.scale

    def leave_in_file(self, read: Read) -> None:
        """Hold no weight, but read it whenever it is needed: slower, and in almost no memory."""
        assert self.weight is not None
        self._in_file, self.file_bytes = self.weight.dtype, self.weight.nbytes
        self._read, self.weight = read, None

    def unpack(self) -> None:
        """Have the plain weight again as a parameter."""
        if self._read is not None:
            weight = self._read().clone()
            self.weight = nn.Parameter(weight, requires_grad=weight.is_floating_point())
            self._read, self.file_bytes = None, 0

    @property
    def scale_shape(self) -> list[int]:
        """Of the scale, where there is one: a number for each output."""
        assert self.weight is not None
        return [n if axis == self.output_axis else 1 for axis, n in enumerate(self.weight.shape)]

    def store(self, whole: Int8[Tensor, "..."], scale: Float[Tensor, "..."]) -> None:
        """Hold the weight as whole numbers, which do not learn, and their scale."""
        self.weight, self.scale = nn.Parameter(whole, requires_grad=False), scale

    @property
    def dtype(self) -> torch.dtype:
        """Precision in which the layer computes."""
        held = self.weight if self.scale is None else self.scale
        return self._in_file if held is None else held.dtype


class Packed(Weighted, ABC):
    """A layer with a weight that can be packed; which it is must not be visible from outside."""

    _packed: Tensor | None = None

    @property
    def packed_bytes(self) -> int:
        """Memory of the packed weight; 0 while there is none."""
        return 0 if self._packed is None else self._packed.numel() * self._packed.dtype.itemsize

    @abstractmethod
    def _reorder(self, weight: Tensor, features: Tensor) -> Tensor:
        """The weight in the order of the kernel for features like these."""

    def _fits(self, features: Tensor) -> bool:  # noqa: ARG002
        """Whether the order of the packed weight is that of the kernel for these features."""
        return True

    def _ready(self, features: Tensor) -> Tensor | None:
        """The packed weight, if this call can use it; packs at the first that can."""
        if not is_free():
            return None
        if self._packed is None:
            packs = self.weight is not None and _can_pack(self.weight)
        else:
            packs = not self._fits(features)
        if packs:
            with torch.inference_mode(mode=False), torch.no_grad():
                self._packed = self._reorder(self.plain().detach(), features)
            self.weight = None
            if self.packed_bytes >= LARGE:
                give_back()
        return self._packed

    def _dense(self, packed: Tensor) -> Tensor:
        """The plain weight."""
        return packed.to_dense()

    @property
    def dtype(self) -> torch.dtype:
        """Precision in which the layer computes, packed or not."""
        held = self._packed if self._packed is not None else self.weight
        held = held if self.scale is None else self.scale  # not super().dtype: dynamo cannot
        return self._in_file if held is None else held.dtype

    def plain(self) -> Tensor:
        """The weight as it was before packing."""
        return super().plain() if self._packed is None else self._dense(self._packed)

    def unpack(self) -> None:
        """Have the plain weight again as a parameter."""
        super().unpack()
        if self._packed is not None:
            with torch.inference_mode(mode=False), torch.no_grad():
                plain = self._dense(self._packed)
            laid_out = plain.ndim == 4
            plain = plain.contiguous(memory_format=torch.channels_last) if laid_out else plain
            self.weight, self._packed = nn.Parameter(plain), None

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles, which cannot hold packed weights."""
        self.unpack()
        return self.__dict__.copy()


class Conv(Packed):
    """Convolution; a bias given at the call, for all images or each, takes the place of its own."""

    _pixels: int = 0  # of the map for which the weight is packed

    def __init__(
        self, inputs: int, outputs: int, size: int, *, stride: int = 1, bias: bool = True
    ) -> None:
        super().__init__()
        self.inputs, self.outputs, self.size, self.stride = inputs, outputs, size, stride
        self.weight = nn.Parameter(torch.empty(outputs, inputs, size, size))
        self.bias = nn.Parameter(torch.empty(outputs)) if bias else None

    def forward(
        self,
        features: Features,
        bias: Float[Tensor, " channel_out"] | Float[Tensor, "batch channel_out"] | None = None,
        padding: tuple[int, int] | None = None,
    ) -> Float[Tensor, "batch channel_out h_out w_out"]:
        """The convolved map; `padding` (rows, columns) is half the kernel unless given."""
        bias = self.bias if bias is None else bias
        padding = (self.size // 2, self.size // 2) if padding is None else padding
        if bias is None or bias.ndim == 1:
            return self._convolved(features, bias, padding)
        convolved, each = self._convolved(features, None, padding), bias[:, :, None, None]
        return convolved.add_(each) if is_free() else convolved + each

    def _convolved(
        self, features: Features, bias: Tensor | None, padding: tuple[int, int]
    ) -> Tensor:
        packed = self._ready(features)
        if packed is None or (self._is_product and padding != (0, 0)):
            return F.conv2d(features, self.plain(), bias, stride=self.stride, padding=padding)
        if self._is_product:
            return _product(features.permute(0, 2, 3, 1), packed, bias).permute(0, 3, 1, 2)
        stride = [self.stride, self.stride]
        return torch.ops.mkldnn._convolution_pointwise(
            features, packed, bias, list(padding), stride, [1, 1], 1, "none", [], ""
        )

    @property
    def _is_product(self) -> bool:
        """Whether it is a matrix product at each pixel: in one order for maps of all sizes."""
        return self.size == self.stride == 1

    def _reorder(self, weight: Tensor, features: Tensor) -> Tensor:
        if self._is_product:
            return _reorder_product(weight.flatten(1))
        self._pixels = features.shape[2] * features.shape[3]
        half, stride = [self.size // 2] * 2, [self.stride] * 2
        return torch.ops.mkldnn._reorder_convolution_weight(
            weight, half, stride, [1, 1], 1, list(features.shape)
        )

    def _fits(self, features: Tensor) -> bool:
        """Large ones stay: theirs was the same for all sizes, and a new order takes seconds."""
        same = self._is_product or features.shape[2] * features.shape[3] == self._pixels
        return same or self.packed_bytes >= LARGE

    def _dense(self, packed: Tensor) -> Tensor:
        return packed.to_dense().view(self.outputs, self.inputs, self.size, self.size)


class Dense(Packed):
    """Matrix product over the last axis."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bias = nn.Parameter(torch.empty(outputs)) if bias else None

    def forward(self, tokens: Float[Tensor, "*any inner"]) -> Float[Tensor, "*any outer"]:
        """The product, plus the bias if there is one."""
        packed = self._ready(tokens)
        if packed is None:
            return F.linear(tokens, self.plain(), self.bias)
        return _product(tokens, packed, self.bias)

    def _reorder(self, weight: Tensor, features: Tensor) -> Tensor:  # noqa: ARG002
        return _reorder_product(weight)


def _reorder_product(weight: Float[Tensor, "outer inner"]) -> Tensor:
    return torch.ops.mkldnn._reorder_linear_weight(weight)


def _product(tokens: Tensor, packed: Tensor, bias: Tensor | None) -> Tensor:
    """The product over the last axis."""
    return torch.ops.mkldnn._linear_pointwise(tokens, packed, bias, "none", [], "")


def _can_pack(weight: Tensor) -> bool:
    kernels: Any = torch.ops.mkldnn
    return (
        weight.device.type == "cpu"
        and weight.dtype in _PACKED_DTYPES
        and torch.backends.mkldnn.is_available()
        and all(
            hasattr(kernels, name)
            for name in (
                *("_convolution_pointwise", "_reorder_convolution_weight"),
                *("_linear_pointwise", "_reorder_linear_weight"),
            )
        )
        and (weight.dtype == torch.float32 or kernels._is_mkldnn_bf16_supported())
    )
