"""An enlargement and the convolution after it, as one product."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from monostep.feedforward import stream
from monostep.feedforward.layers import Weighted
from monostep.feedforward.stream import Streamed
from monostep.network.blocks import Features


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
