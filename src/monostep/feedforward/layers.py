"""Convolutions and products whose weights the CPU's kernels keep in the order they read them in.

oneDNN wants weights in blocks, and otherwise sorts them again at every call: most of the time of a
layer with much weight and few pixels. `Packed` layers sort theirs once, when they are first used
for inference (torch.inference_mode) on a CPU, and hold no second copy. The result of a convolution
stays the same to the last bit, but for 1x1 ones of a few channels. `unpack` gives the plain weights
back; asking a network for its parameters does it too (`network.FeedForward`).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int8
from torch import Tensor, nn
from torch.nn import functional as F

from monostep.feedforward import stream
from monostep.feedforward.pages import LARGE, give_back
from monostep.feedforward.stream import Streamed, is_free
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
    def _reorder(self, weight: Tensor) -> Tensor:
        """The weight in the order of the kernel."""

    def _ready(self) -> Tensor | None:
        """The packed weight, if this call can use it; packs at the first that can."""
        if not is_free():
            return None
        if self._packed is None and self.weight is not None and _can_pack(self.weight):
            with torch.inference_mode(mode=False), torch.no_grad():
                self._packed = self._reorder(self.weight.detach())
            self.weight = None
            if self.packed_bytes >= LARGE:
                give_back()
        return self._packed

    @property
    def dtype(self) -> torch.dtype:
        """Precision in which the layer computes, packed or not."""
        held = self._packed if self._packed is not None else self.weight
        held = held if self.scale is None else self.scale  # not super().dtype: dynamo cannot
        return self._in_file if held is None else held.dtype

    def plain(self) -> Tensor:
        """The weight as it was before packing."""
        return super().plain() if self._packed is None else self._packed.to_dense()

    def unpack(self) -> None:
        """Have the plain weight again as a parameter."""
        super().unpack()
        if self._packed is not None:
            with torch.inference_mode(mode=False), torch.no_grad():
                plain = self._packed.to_dense()
            laid_out = plain.ndim == 4
            plain = plain.contiguous(memory_format=torch.channels_last) if laid_out else plain
            self.weight, self._packed = nn.Parameter(plain), None

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles, which cannot hold packed weights."""
        self.unpack()
        return self.__dict__.copy()


class Conv(Packed):
    """Convolution; a bias given at the call, for all images or each, takes the place of its own."""

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
        packed = self._ready()
        if packed is None:
            return F.conv2d(features, self.plain(), bias, stride=self.stride, padding=padding)
        stride = [self.stride, self.stride]
        return torch.ops.mkldnn._convolution_pointwise(
            features, packed, bias, list(padding), stride, [1, 1], 1, "none", [], ""
        )

    def _reorder(self, weight: Tensor) -> Tensor:
        half, stride = self.size // 2, self.stride
        return torch.ops.mkldnn._reorder_convolution_weight(
            weight, [half, half], [stride, stride], [1, 1], 1, None
        )


class Dense(Packed):
    """Matrix product over the last axis."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bias = nn.Parameter(torch.empty(outputs)) if bias else None

    def forward(self, tokens: Float[Tensor, "*any inner"]) -> Float[Tensor, "*any outer"]:
        """The product, plus the bias if there is one."""
        packed = self._ready()
        if packed is None:
            return F.linear(tokens, self.plain(), self.bias)
        return torch.ops.mkldnn._linear_pointwise(tokens, packed, self.bias, "none", [], "")

    def _reorder(self, weight: Tensor) -> Tensor:
        return torch.ops.mkldnn._reorder_linear_weight(weight)


class Double(Weighted, Streamed):
    """Nearest-neighbour enlargement to twice the size and a 3x3 convolution, as one product.

    An enlarged pixel repeats itself, so that of its nine neighbours only four differ: a transposed
    convolution of stride 2 with a 4x4 kernel, 4 products where there were 9. In one dimension, with
    the original taps w0, w1, w2 and the kernel K = (w2, w1 + w2, w0 + w1, w0):

        y[2k] = w0 x[k-1] + (w1 + w2) x[k],    y[2k+1] = (w0 + w1) x[k] + w2 x[k+1]

    To 2n-1 instead of 2n, the last one sees a zero where x[k] was repeated: K[0] x[k] less.
    """

    output_axis = 1

    def __init__(self, channels: int, *, bias: bool = True) -> None:
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.empty(channels, channels, 4, 4))  # in, out, rows, columns
        self.bias = nn.Parameter(torch.empty(channels)) if bias else None

    def forward(
        self, features: Features, size: tuple[int, int] | None = None
    ) -> Float[Tensor, "batch channel up_h up_w"]:
        """The map at `size`, each side twice its own or one less; else at twice its size."""
        weight = self.plain()
        if size is not None and torch.compiler.is_exporting():
            return self._at(features, weight, size)
        twice = (2 * features.shape[2], 2 * features.shape[3])
        if size in (None, twice) and (high := stream.rows(features, self.strip // 4)):
            return self._in_strips(features, weight, high)
        doubled = F.conv_transpose2d(features, weight, self.bias, stride=2, padding=1)
        if size in (None, twice):
            return doubled
        assert size is not None
        doubled = doubled[:, :, : size[0], : size[1]]
        rows, columns = size[0] % 2, size[1] % 2
        less = torch.zeros_like(doubled)
        if rows:
            edge = self._edge(features[:, :, -1:], weight[:, :, :1], (0, 1))
            less[:, :, -1] += edge[:, :, 0, : size[1]]
        if columns:
            edge = self._edge(features[:, :, :, -1:], weight[..., :1], (1, 0))
            less[:, :, :, -1] += edge[:, :, : size[0], 0]
        if rows and columns:
            corner = features[:, :, -1:, -1:], weight[:, :, :1, :1]
            less[:, :, -1, -1] -= self._edge(*corner, (0, 0))[:, :, 0, 0]
        return (doubled - less).contiguous(memory_format=torch.channels_last)

    def _in_strips(self, features: Features, weight: Tensor, high: int) -> Tensor:
        """The same, with one more row above and below each strip, whose results are dropped."""
        height = features.shape[2]
        doubled = stream.Joined(2 * height)
        for top in range(0, height, high):
            above, below = top > 0, top + high < height
            window = features[:, :, top - above : top + high + below]
            part = F.conv_transpose2d(window, weight, self.bias, stride=2, padding=1)
            doubled.add(part[:, :, 2 * above : part.shape[2] - 2 * below])
        return doubled.whole

    def _at(self, features: Features, weight: Tensor, size: tuple[int, int]) -> Tensor:
        """The map at `size`, without a question: for sizes that are symbols."""
        doubled = F.conv_transpose2d(features, weight, self.bias, stride=2, padding=1)
        odd = size[0] % 2, size[1] % 2
        row = odd[0] * self._edge(features[:, :, -1:], weight[:, :, :1], (0, 1))
        column = odd[1] * self._edge(features[:, :, :, -1:], weight[..., :1], (1, 0))
        corner = features[:, :, -1:, -1:], weight[:, :, :1, :1]
        both = odd[0] * odd[1] * self._edge(*corner, (0, 0))
        rows, columns = torch.arange(size[0]), torch.arange(size[1])
        below = (rows == size[0] - 1).to(row)[:, None]
        right = (columns == size[1] - 1).to(row)
        row, column = row.index_select(3, columns), column.index_select(2, rows)
        doubled = doubled.index_select(2, rows).index_select(3, columns)
        return doubled - below * row - right * column + below * right * both

    @staticmethod
    def _edge(edge: Features, taps: Tensor, along: tuple[int, int]) -> Tensor:
        """What the repeated pixels beyond the edge gave; `along` marks the axis of the edge."""
        stride = (1 + along[0], 1 + along[1])
        return F.conv_transpose2d(edge, taps, stride=stride, padding=along)


def doubled_taps(weight: Float[Tensor, "out in 3 3"]) -> Float[Tensor, "in out 4 4"]:
    """The kernel of `Double` from that of the convolution after the enlargement."""
    for axis in (2, 3):
        w0, w1, w2 = weight.unbind(axis)
        weight = torch.stack([w2, w1 + w2, w0 + w1, w0], dim=axis)
    return weight.transpose(0, 1)


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
