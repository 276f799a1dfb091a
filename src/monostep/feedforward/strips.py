"""Norm, SiLU and convolution of a large map in strips of rows: the same values in less memory.

The statistics of the norm are taken over the whole map first, in passes over strips; then each
strip is normalised, convolved with one row of its neighbours above and below, and written.
Nothing as large as the map is made besides the result. What fits the cache is also done faster.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from monostep.feedforward import stream
from monostep.feedforward.layers import Conv
from monostep.network.blocks import Features
from monostep.network.norm import sums_badly

COUNTED = 256  # pixels that float32 sums at once: of 4096 a whole network is three times as noisy
Moments = tuple[Float[Tensor, "batch channel"], Float[Tensor, "batch channel"]]


def normal(
    features: Features,
    groups: int,
    *,
    eps: float,
    weight: Float[Tensor, " channel"] | None = None,
    bias: Float[Tensor, " channel"] | None = None,
) -> Features:
    """Group norm, whose statistics keep their digits however large the map is.

    `network.norm` tells why. Where a gradient or a graph is wanted, this is torch's.
    """
    if not (stream.is_free() and sums_badly(features)):
        return F.group_norm(features, groups, weight, bias, eps)
    mean, variance = moments(features, groups, _counted(features))
    return _scaled(features, mean, variance, weight, bias, eps)


def moments(features: Features, groups: int, rows: int) -> Moments:
    """Mean and variance of each channel's group over all of the map, in float32, by strips."""
    height, width = features.shape[2:]
    strips = features.split(rows, dim=2)
    # strip batch channel, in float32 whatever the precision of the map
    shape = (len(strips), *features.shape[:2])
    mean, variance = (torch.zeros(shape, device=features.device) for _ in range(2))
    for i, strip in enumerate(strips):
        for j, one in enumerate(strip.split(1)):
            torch.batch_norm_update_stats(one, mean[i, j], variance[i, j], 1.0)
    high = torch.tensor([strip.shape[2] for strip in strips]).to(mean.device, torch.float64)
    count = width * high[:, None, None]
    # That of all pixels, of torch's for a sample of them, which is NaN for one pixel.
    variance = torch.where(count > 1, variance * ((count - 1) / count), 0.0)
    # strip batch group channel
    mean, variance = (one.double().unflatten(2, (groups, -1)) for one in (mean, variance))
    weight = (high / height)[:, None, None, None]
    centre = (weight * mean).sum(0).mean(2)  # batch group
    spread = (weight * (variance + (mean - centre[..., None]).square())).sum(0).mean(2)
    each = features.shape[1] // groups
    return centre.float().repeat_interleave(each, 1), spread.float().repeat_interleave(each, 1)


def convolve(
    norm: nn.GroupNorm,
    conv: Conv,
    features: Features,
    *,
    rows: int,
    bias: Tensor | None = None,
    plus: Callable[[slice], Tensor] | None = None,
    over: bool = False,
) -> Float[Tensor, "batch channel_out height width"]:
    """`conv(silu(norm(features)))`, plus what `plus` gives for a slice of rows.

    Args:
        norm: in float32 or the map's precision.
        conv: 3x3, of stride 1.
        features: the map, laid out with channels last.
        rows: of a strip.
        bias: in place of the convolution's own.
        plus: added to the result, strip by strip.
        over: write over the map, which nobody else may need; channels must stay as many.
    """
    mean, variance = moments(features, norm.num_groups, _counted(features))
    height = features.shape[2]
    out = stream.Joined(height)
    above = None
    for top in range(0, height, rows):
        here = slice(top, min(top + rows, height))
        below = min(here.stop + 1, height)
        part = _normal(norm, features[:, :, top:below], mean, variance, conv.dtype)
        edge = torch.zeros_like(part[:, :, :1])
        window = torch.cat(
            [edge if above is None else above, part, *([edge] if below == here.stop else [])], dim=2
        )
        above = part[:, :, here.stop - top - 1 : here.stop - top].clone()
        strip = conv(window, bias, padding=(0, 1))
        if plus is not None:
            strip += plus(here)
        if over:
            features[:, :, here] = strip
        else:
            out.add(strip)
    return features if over else out.whole


def _counted(features: Features) -> int:
    """Rows of a map whose sums lose few digits."""
    return max(COUNTED // features.shape[3], 1)


def _normal(
    norm: nn.GroupNorm, strip: Features, mean: Tensor, variance: Tensor, dtype: torch.dtype
) -> Features:
    """SiLU of the strip normalised by known moments."""
    scaled = _scaled(strip.to(dtype), mean, variance, norm.weight, norm.bias, norm.eps)
    return F.silu(scaled, inplace=True)


def _scaled(
    features: Features,
    mean: Float[Tensor, "batch channel"],
    variance: Float[Tensor, "batch channel"],
    weight: Float[Tensor, " channel"] | None,
    bias: Float[Tensor, " channel"] | None,
    eps: float,
) -> Features:
    """A map normalised by known moments, which is a batch norm of each image."""
    weight, bias = (None if one is None else one.float() for one in (weight, bias))
    done = [
        F.batch_norm(one, mean[i], variance[i], weight, bias, eps=eps)
        for i, one in enumerate(features.split(1))
    ]
    return torch.cat(done) if len(done) > 1 else done[0]
