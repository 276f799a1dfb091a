"""Several depth maps of one image, each known up to scale and shift, merged into one.

    A_i = s_i D_i + t_i              s, t of smallest disagreement(A) + 0.02 out_of_range(P)
    P   = median over members of A_i
    result = (P - min P) / (max P - min P)

The two published ways differ in the disagreement: "joint" is the root mean square over all pairs
and pixels at once (Marigold v1.0, E2E-FT, GeoWizard), "pairwise" the sum over the pairs of each
pair's own (diffusers, Marigold v1.1).

Both search with two steps of scipy's BFGS from where every member spans [0, 1], with numerical
gradients of a cost in float32. A scale's step of the gradient is lost in float32, so that only the
shifts move; the cost is computed in the published precision and order to round alike.
"""

from typing import Literal, TypeAlias, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from monostep.diffusion.merged import Merged
from monostep.errors import MissingExtraError, SettingError
from monostep.images import fit

Method: TypeAlias = Literal["joint", "pairwise"]
Invariance: TypeAlias = Literal["affine", "scale"]
METHODS: tuple[Method, ...] = get_args(Method)
INVARIANCES: tuple[Invariance, ...] = get_args(Invariance)

Members: TypeAlias = Float[Tensor, "member height width"]
Parameters: TypeAlias = Float[np.ndarray, " parameter"]  # the scales, then the shifts if affine

REGULARISER = 0.02
SMALLEST_RANGE = 1e-6  # divided by; keeps a constant map finite
SMALLEST_SCALE = 0.1  # of where a scale starts


def merge(
    depth: Members,
    *,
    method: str = "pairwise",
    invariance: str = "affine",
    max_res: int | None = None,
    max_iter: int = 2,
    tolerance: float = 1e-3,
) -> Merged:
    """Align the members with one another and take their median.

    Args:
        depth: the members, in [0, 1]. Half precision is computed in float32; float64 stays, and
            then the search moves the scales too, unlike the published ways.
        method: "joint" or "pairwise", see above.
        invariance: "affine" aligns scale and shift, "scale" the scale alone: 0 stays 0.
        max_res: the alignment is sought on maps with a long side of at most this many pixels
            (nearest pixels; 0: full size); None is the method's own, 1024 for "pairwise" and full
            size for "joint". The result has full size in any case.
        max_iter: steps of BFGS.
        tolerance: BFGS ends where no entry of the gradient is larger.

    Returns:
        The median, brought to [0, 1] (a constant becomes zeros), and the median absolute deviation
        of the members from it, divided by the same range. The median of an even number is the lower
        of the middle two, as published.

    Raises:
        SettingError: unknown method or invariance.
        MissingExtraError: scipy is not installed, and there is more than one member.

    The cost is smallest (0.02) where all scales are 0 and nothing is left of the maps. A search
    that could get there meets a term which is exactly 0 until a scale falls below a tenth of its
    start, and then outweighs all that the fall can gain.

    Source: Ke et al., Repurposing Diffusion-Based Image Generators for Monocular Depth Estimation,
    test-time ensembling; diffusers' MarigoldDepthPipeline.
    """
    _check(method, invariance)
    depth = depth.to(torch.promote_types(depth.dtype, torch.float32))
    if len(depth) > 1:
        longest = max_res if max_res is not None else {"pairwise": 1024, "joint": 0}[method]
        start = _start(small := _shrink(depth, longest), affine=invariance == "affine")
        depth = _align(depth, _search(small, start, method, max_iter, tolerance))
    middle = depth.median(dim=0).values
    deviation = (depth - middle).abs().median(dim=0).values
    nearest = middle.min() if invariance == "affine" else middle.new_zeros(())
    span = (middle.max() - nearest).clamp_min(SMALLEST_RANGE)
    return Merged(values=(middle - nearest) / span, uncertainty=deviation / span)


def _check(method: str, invariance: str) -> None:
    if method not in METHODS:
        raise SettingError(f"depth ensemble {method!r}: expected one of {', '.join(METHODS)}")
    if invariance not in INVARIANCES:
        raise SettingError(
            f"depth ensemble of invariance {invariance!r}: expected one of {', '.join(INVARIANCES)}"
        )


def _shrink(depth: Members, longest: int) -> Float[Tensor, "member new_height new_width"]:
    size = (depth.shape[1], depth.shape[2])
    if longest <= 0 or max(size) <= longest:
        return depth
    smaller = fit.place(size, resolution=longest, multiple=1).resized
    return F.interpolate(depth[None], size=smaller, mode="nearest-exact")[0]


def _start(depth: Members, *, affine: bool) -> Parameters:
    """The parameters that bring every member to [0, 1]."""
    largest = depth.amax(dim=(1, 2))
    if not affine:
        return (1 / largest.clamp_min(SMALLEST_RANGE)).cpu().numpy()
    smallest = depth.amin(dim=(1, 2))
    scale = 1 / (largest - smallest).clamp_min(SMALLEST_RANGE)
    return torch.cat([scale, -scale * smallest]).cpu().numpy()


def _align(depth: Members, parameters: Parameters) -> Members:
    values = torch.from_numpy(parameters).to(depth)[:, None, None]
    if len(values) == len(depth):
        return depth * values
    scale, shift = values.chunk(2)
    return depth * scale + shift


def _search(
    depth: Members, start: Parameters, method: str, max_iter: int, tolerance: float
) -> Parameters:
    """The parameters of smallest cost that BFGS finds."""
    try:
        from scipy.optimize import minimize
    except ImportError as error:
        raise MissingExtraError(
            "an ensemble of depth maps needs the package scipy: pip install 'monostep[ensemble]'"
        ) from error
    cost = {"joint": _joint_cost, "pairwise": _pairwise_cost}[method]
    first = cost(_align(depth, start))

    def guarded(parameters: Parameters) -> float:
        collapsed = _collapse(parameters[: len(depth)], start[: len(depth)])
        return cost(_align(depth, parameters)) + first * collapsed

    # Marigold v1.0 starts from float32 parameters, diffusers from float64: BFGS rounds as they do.
    origin = start if method == "joint" else start.astype(np.float64)
    options = {"maxiter": max_iter, "disp": False}
    return minimize(guarded, origin, method="BFGS", tol=tolerance, options=options).x


def _joint_cost(aligned: Members) -> float:
    pairs = torch.combinations(torch.arange(len(aligned))).tolist()
    differences = aligned.new_empty(len(pairs), *aligned.shape[1:])
    for difference, (one, other) in zip(differences, pairs, strict=True):
        torch.sub(aligned[one], aligned[other], out=difference)
    disagreement = differences.square_().mean().sqrt()
    near, far = _out_of_range(aligned)
    return (disagreement + REGULARISER * (near + far)).item()


def _pairwise_cost(aligned: Members) -> float:
    disagreement = 0.0
    for one, other in torch.combinations(torch.arange(len(aligned))).tolist():
        disagreement += (aligned[one] - aligned[other]).square().mean().sqrt().item()
    near, far = _out_of_range(aligned)
    return disagreement + REGULARISER * (near.item() + far.item())


def _out_of_range(aligned: Members) -> tuple[Tensor, Tensor]:
    """How far the ends of the median are from 0 and 1."""
    middle = aligned.median(dim=0).values
    return middle.min().abs(), (1 - middle.max()).abs()


def _collapse(scale: Parameters, start: Parameters) -> float:
    """Sum over members of how far the scale fell below the smallest allowed: 1 each at 0."""
    return float(np.maximum(0, 1 - scale / start / SMALLEST_SCALE).sum())
