"""Colours of images, maps and errors on a sheet, at about the size at which they are shown."""

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor
from torch.nn.functional import avg_pool2d, normalize

from monostep.evaluation.sheets.row import Map
from monostep.files.preview import depth_preview, normals_preview
from monostep.metrics.normals import angle_deg
from monostep.pictures import as_bytes

Mask = Bool[Tensor, "height width"]
Pixels = UInt8[np.ndarray, "rows columns 3"]  # one for each block

TOP_DEPTH_ERROR = 0.25  # relative; it and larger ones have the last colour
TOP_ANGLE_DEG = 45.0
_ENDS = (0.01, 0.99)  # quantiles of true depth between which colours vary
_MOST_SAMPLED = 1_000_000  # pixels that are enough for those quantiles


def photo_pixels(image: Float[Tensor, "3 height width"], step: int) -> Pixels:
    """An image, each block of `step` x `step` pixels by its mean."""
    return as_bytes(avg_pool2d(image.detach().float().clamp(0, 1).cpu(), step))


def depth_range(truth_m: Float[Tensor, "height width"], valid: Mask) -> tuple[float, float]:
    """The nearest and the farthest true depth that colours tell apart; (1, 1) without truth."""
    known = truth_m[valid]
    if len(known) == 0:
        return 1.0, 1.0
    sampled = known[:: 1 + len(known) // _MOST_SAMPLED].cpu().double().numpy()
    near_m, far_m = np.quantile(sampled, _ENDS)
    return float(near_m), float(far_m)


def map_pixels(
    values: Map, valid: Mask | None, step: int, range_m: tuple[float, float] | None
) -> Pixels:
    """A map in the usual colours: depth from near red to far violet by its logarithm, or normals.

    Blocks of `step` x `step` pixels by the mean of those that are valid; black where none is.
    `range_m` belongs to depth and is the same for the truth and all contenders.
    """
    mean, some = _block_means(values, valid, step)
    if values.ndim == 3:
        return normals_preview(normalize(mean, dim=0).permute(1, 2, 0).numpy(), some.numpy())
    near_m, far_m = range_m or (1.0, 1.0)
    span = np.log(far_m / near_m) or 1.0
    return _spectral((mean.clamp_min(1e-6) / near_m).log() / span, some)


def error_pixels(values: Map, truth: Map, valid: Mask, step: int) -> Pixels:
    """How wrong a map is: violet for not at all, red from `TOP_...` on, black where not judged."""
    if values.ndim == 3:
        error = angle_deg(values[None], truth[None])[0] / TOP_ANGLE_DEG
    else:
        error = (values - truth).abs() / truth / TOP_DEPTH_ERROR
    mean, some = _block_means(torch.where(valid, error, 0), valid, step)
    return _spectral(1 - mean, some)


def _block_means(
    values: Map, valid: Mask | None, step: int
) -> tuple[Tensor, Bool[Tensor, "rows columns"]]:
    if valid is None:
        valid = torch.isfinite(values if values.ndim == 2 else values.sum(dim=0))
    share = avg_pool2d(valid.float()[None], step)[0]
    kept = torch.where(valid, values, 0).float()
    total = avg_pool2d(kept if kept.ndim == 3 else kept[None], step)
    mean = (total / share.clamp_min(1e-12)).reshape(*values.shape[:-2], *share.shape)
    return mean.detach().cpu(), (share > 0).cpu()


def _spectral(place: Float[Tensor, "rows columns"], some: Bool[Tensor, "rows columns"]) -> Pixels:
    """The preview's colours, red at 0 and violet at 1 and beyond."""
    colours = depth_preview(np.linspace(0, 1, 256)[None])[0]
    chosen = colours[(place.clamp(0, 1) * 255).round().byte().numpy()]
    return np.where(some.numpy()[..., None], chosen, 0).astype(np.uint8)
