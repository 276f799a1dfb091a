"""The protocols of the depth benchmarks, as data.

marigold-2024        what published numbers of Marigold and of its fine-tuned models mean: Ke et al.
                     (CVPR 2024). Models that are told a domain hear "indoor" everywhere, and ETH3D
                     is aligned on 1024 of 6048 columns but all rows.
marigold-2024-garg   the same on KITTI with the region of Garg et al. instead of Eigen's.
monostep-1           the same images and ranges done right: images are padded, not squeezed; every
                     valid pixel counts in the alignment; models hear the domain of the set, of
                     DIODE that of each image; depth edges are judged too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from monostep.errors import SettingError
from monostep.evaluation.rules import BY_IMAGE, DepthRules, Input

PROTOCOLS = ("marigold-2024", "marigold-2024-garg", "monostep-1")


@dataclass(frozen=True, kw_only=True)
class _Row:
    """What differs between benchmarks."""

    resolution: int  # long side that the model sees; 0: the image's own
    near_m: float
    far_m: float
    domain: str = "indoor"  # of most images, or BY_IMAGE; monostep-1 only
    align_side: int | None = None  # marigold-2024 only


_ROWS: Mapping[str, _Row] = {
    "nyuv2": _Row(resolution=0, near_m=1e-3, far_m=10.0),
    "kitti": _Row(resolution=0, near_m=1e-5, far_m=80.0, domain="outdoor"),
    "eth3d": _Row(
        resolution=756, near_m=1e-5, far_m=float("inf"), domain="outdoor", align_side=1024
    ),
    "scannet": _Row(resolution=0, near_m=1e-3, far_m=10.0),
    "diode": _Row(resolution=640, near_m=0.6, far_m=350.0, domain=BY_IMAGE),
    "diode-indoor": _Row(resolution=640, near_m=0.6, far_m=350.0),
    "diode-outdoor": _Row(resolution=640, near_m=0.6, far_m=350.0, domain="outdoor"),
}


def depth_rules(benchmark: str, protocol: str) -> DepthRules:
    """How depth is judged on a benchmark by a protocol.

    Raises:
        SettingError: there is no such protocol for it.
    """
    known = [name for name in PROTOCOLS if benchmark == "kitti" or not name.endswith("-garg")]
    if protocol not in known:
        raise SettingError(f"{benchmark}: no protocol {protocol!r}; choose {', '.join(known)}")
    row, published = _ROWS[benchmark], protocol != "monostep-1"
    return DepthRules(
        protocol=protocol,
        input=Input(
            resolution=row.resolution,
            fit="reference" if published else "pad",
            domain="indoor" if published else row.domain,
        ),
        near_m=row.near_m,
        far_m=row.far_m,
        align_side=row.align_side if published else None,
        boundaries=not published,
    )
