"""E2E-FT's losses and its noise spelled out in plain torch: the oracle of the training steps."""

import torch
from torch.nn import functional as F


def pyramid(size, generator):
    """E2E-FT's multi-resolution noise, spelled out."""
    noise = torch.randn(size, generator=generator)
    height, width = size[1:]
    for i in range(10):
        r = 2 + 2 * torch.rand((), generator=generator, dtype=torch.float64).item()
        height, width = max(1, int(height / r**i)), max(1, int(width / r**i))
        level = torch.randn(1, size[0], height, width, generator=generator)
        noise = noise + 0.9**i * F.interpolate(level, size=size[1:], mode="bilinear")[0]
        if height == 1 or width == 1:
            break
    return noise / noise.std()


def depth(decoded, truth, mask, *, pooled):
    """Absolute residuals of least squares by the normal equations, in double precision."""
    p = decoded.mean(dim=1).clamp(-1, 1)
    m, g = mask.double(), truth.double()
    a00, a01, a11 = (m * p * p).sum((1, 2)), (m * p).sum((1, 2)), m.sum((1, 2))
    b0, b1 = (m * p * g).sum((1, 2)), (m * g).sum((1, 2))
    det = a00 * a11 - a01**2
    scale, shift = (a11 * b0 - a01 * b1) / det, (a00 * b1 - a01 * b0) / det
    error = (scale[:, None, None] * p + shift[:, None, None] - g).abs()
    return mean(error, mask, pooled=pooled)


def normals(decoded, truth, mask, *, pooled):
    unit = decoded / decoded.norm(dim=1, keepdim=True)
    dot = (unit * truth.double()).sum(dim=1)
    return mean(torch.where(mask, dot, 0.0).acos(), mask, pooled=pooled)


def mean(error, mask, *, pooled):
    if pooled:
        return error[mask].mean()
    return torch.stack([e[m].mean() for e, m in zip(error, mask, strict=True)]).mean()


def geowizards_pyramid(size, generator, level):
    """GeoWizard's, whose grids are all parts of the full one, at a level t / T."""
    noise = torch.randn(size, generator=generator)
    for i in range(10):
        r = 1.5 + 1.5 * torch.rand((), generator=generator, dtype=torch.float64).item()
        height, width = (max(1, int(side / r**i)) for side in size[1:])
        coarse = torch.randn(1, size[0], height, width, generator=generator)
        noise = noise + level * 0.9**i * F.interpolate(coarse, size=size[1:], mode="bilinear")[0]
        if height == 1 or width == 1:
            break
    return noise / noise.std()
