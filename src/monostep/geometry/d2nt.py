"""Surface normals from a depth map: discontinuity-aware gradients, then a choice of neighbours.

Source: Feng et al., "D2NT: A High-Performing Depth-to-Normal Translator" (ICRA 2023), version 3.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import normalize, pad

from monostep.errors import InputError

Map = Float[Tensor, "height width"]
Mask = Bool[Tensor, "height width"]

PER_M = 100.0  # the reference's depths are in centimetres, which sets how sharp its weights are
_TINY = 1e-8
_ONE_SIDED = 2.718281828459045  # ratio of the two sides' weights beyond which only one counts


def normals_from_depth(
    depth_m: Map,
    intrinsics: Float[Tensor, "3 3"],
    *,
    valid: Mask | None = None,
    weight_per_m: float = PER_M,
) -> Float[Tensor, "3 height width"]:
    """Return unit normals in the OpenCV frame, facing the camera; 0 where there is none.

    Each gradient leans to the side on which the depth bends less; then each pixel takes the normal
    of the one among its left, right, upper and lower neighbours and itself around which the depth
    bends least, the first of these on a tie: flat regions move by one pixel. Computed in float64.

    The reference counts pixels from 1 and puts their centres there; for its numbers subtract 1
    from the principal point of a camera whose centres are at + 0.5.

    Args:
        depth_m: z-depth in metres, finite where it is valid.
        intrinsics: of a camera whose pixel centres are at integer + 0.5, without skew.
        valid: where there is a surface; elsewhere no depth is looked at, and beside it depth
            counts to the other side only, unlike in the reference. None: everywhere.
        weight_per_m: a side's weight is exp(-weight_per_m * its second difference in metres).

    Raises:
        InputError: the map has fewer than 2 rows or columns.
    """
    if min(depth_m.shape) < 2:
        raise InputError(f"normals need at least 2 x 2 depths, got {list(depth_m.shape)}")
    valid = torch.ones_like(depth_m, dtype=torch.bool) if valid is None else valid
    z = torch.where(valid, depth_m.double(), 0.0)
    across, has_across = _gradient(z, valid, weight_per_m)
    down, has_down = _gradient(z.T, valid.T, weight_per_m)
    normals = _perpendicular(z, across, down.T, intrinsics.double())
    usable = valid & has_across & has_down.T
    surrounded = usable & _has_both(valid) & _has_both(valid.T).T
    return torch.where(valid, _refine(normals, z, usable, surrounded), 0.0).to(depth_m.dtype)


def _gradient(z: Map, valid: Mask, weight_per_m: float) -> tuple[Map, Mask]:
    """Change of depth from one column to the next, and where a neighbour says anything of it."""
    left, right = _differences(z)
    known = _has_both(valid)
    weight = torch.where(known, torch.exp(-weight_per_m * (left - right).abs()), 0.0)
    share = _share(*_neighbours(weight, fill=0.0))
    # A hole has no depth to lean to. Beyond the border the weight is 0, and that is enough unless
    # the only neighbour, beside a hole, weighs nothing either.
    into_left, into_right = _neighbours(valid, fill=True)
    share = torch.where(into_left, torch.where(into_right, share, 1.0), 0.0)
    unsure_left, unsure_right = _neighbours(~known, fill=False)
    share[:, 0] = torch.where(unsure_right[:, 0], 0.0, share[:, 0])
    share[:, -1] = torch.where(unsure_left[:, -1], 1.0, share[:, -1])
    has_left, has_right = _neighbours(valid, fill=False)
    return share * left + (1 - share) * right, has_left | has_right


def _has_both(valid: Mask) -> Mask:
    """Where a valid pixel lies between two others, of which the border mirrors one."""
    wide = torch.cat([valid[:, 1:2], valid, valid[:, -2:-1]], dim=1)
    return wide[:, :-2] & valid & wide[:, 2:]


def _share(left: Map, right: Map) -> Map:
    """What the left side counts, in [0, 1]: by weight, or all or nothing if they differ a lot."""
    left, right = left + _TINY / 2, right + _TINY / 2  # halves where both vanish
    total = left + right
    left, right = left / total, right / total
    only_left, only_right = left > _ONE_SIDED * right, right > _ONE_SIDED * left
    return torch.where(only_left, 1.0, torch.where(only_right, 0.0, left))


def _perpendicular(
    z: Map, across: Map, down: Map, intrinsics: Float[Tensor, "3 3"]
) -> Float[Tensor, "3 height width"]:
    """Unit vector perpendicular to the surface whose depth changes so from pixel to pixel."""
    height, width = z.shape
    u = torch.arange(width).to(z) + 0.5 - intrinsics[0, 2]
    v = (torch.arange(height).to(z) + 0.5 - intrinsics[1, 2])[:, None]
    x, y = intrinsics[0, 0] * across, intrinsics[1, 1] * down
    return normalize(torch.stack([x, y, -(z + u * across + v * down)]), dim=0)


def _refine(
    normals: Float[Tensor, "3 height width"], z: Map, usable: Mask, surrounded: Mask
) -> Float[Tensor, "3 height width"]:
    """Give each pixel the normal of its neighbour, or its own, where the depth bends least.

    Only where all neighbours are valid is it known how the depth bends; without any such
    candidate a pixel keeps its own normal.
    """
    left, right = _differences(z)
    up, down = (each.T for each in _differences(z.T))
    roughness = torch.where(surrounded, (left - right + up - down).abs(), torch.inf)
    own = torch.where(usable & ~surrounded, torch.finfo(z.dtype).max, roughness)
    candidates = torch.stack([*_four(roughness, fill=torch.inf), own])
    least, choice = candidates.min(dim=0)
    moved = torch.stack(
        [torch.stack([*_four(axis, fill=0.0), axis]) for axis in normals], dim=1
    )  # candidate, axis, row, column
    chosen = moved.gather(0, choice.expand(1, 3, *choice.shape))[0]
    return torch.where(least.isfinite(), chosen, 0.0)


def _differences(z: Map) -> tuple[Map, Map]:
    """Backward and forward difference along the rows; the image is mirrored at its border."""
    wide = torch.cat([z[:, 1:2], z, z[:, -2:-1]], dim=1)
    step = wide.diff(dim=1)
    return step[:, :-1], step[:, 1:]


def _neighbours(values: Tensor, *, fill: float) -> tuple[Tensor, Tensor]:
    """Values of the left and of the right neighbour."""
    return pad(values, (1, 0), value=fill)[:, :-1], pad(values, (0, 1), value=fill)[:, 1:]


def _four(values: Map, *, fill: float) -> tuple[Map, Map, Map, Map]:
    """Values of the left, right, upper and lower neighbour."""
    left, right = _neighbours(values, fill=fill)
    up, down = _neighbours(values.T, fill=fill)
    return left, right, up.T, down.T
