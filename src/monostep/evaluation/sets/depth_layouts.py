"""What the published depth benchmarks look like on disk, and which pixels of them count, as data.

Source: the evaluation data of Marigold (Ke et al., CVPR 2024), which fine-tuned models since then
are measured on. A list is known by its length and hash; it is found again from the files' names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from monostep.data.frame_fit import KITTI as CROP_SIZE
from monostep.evaluation.sets.lists import Templates

Decoding: TypeAlias = Literal["png / 1000", "png / 256", "raw float32, inf is 0", "npy"]

RAW_SIZE = (4032, 6048)  # height and width of ETH3D's raw depth, which stores none


@dataclass(frozen=True, kw_only=True)
class Box:
    """Rows and columns that count, ends excluded, in maps of one size."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    of: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Official:
    """The published list of a benchmark, without naming its images."""

    images: int
    list_sha256: str  # as SampleList.sha256


@dataclass(frozen=True, kw_only=True)
class DepthLayout:
    """One data set: where its files lie, how truth is decoded, where it is valid."""

    tar: str  # below the folder of all benchmarks
    templates: Templates
    decoding: Decoding
    official: Mapping[str, Official]  # by benchmark: the set's name, or that of a part of it
    valid_m: tuple[float, float] | None = None  # strictly between; None: where the mask says
    box: Box | None = None
    cropped: bool = False  # to KITTI's benchmark crop, image and truth
    unlabelled: bool = False  # some images have no truth on purpose
    strata: str = "all"  # what images are grouped by: a field of the first template, or all


EIGEN = Box(rows=(117, 321), columns=(43, 1172), of=CROP_SIZE)
"""Eigen et al. (NeurIPS 2014) on the crop: 0.3324324, 0.91351351 of the height, 0.0359477,
0.96405229 of the width, cut to integers."""

GARG = Box(rows=(143, 349), columns=(43, 1172), of=CROP_SIZE)
"""Garg et al. (ECCV 2016): 0.40810811, 0.99189189 and 0.03594771, 0.96405229."""

LAYOUTS: Mapping[str, DepthLayout] = {
    "nyuv2": DepthLayout(
        tar="nyuv2/nyu_labeled_extracted.tar",
        templates=Templates(
            image="test/{kind}_{number}/rgb_{frame}.png",
            depth="test/{kind}_{number}/depth_{frame}.png",
        ),
        decoding="png / 1000",
        official={
            "nyuv2": Official(
                images=654,
                list_sha256="86e9a667eee7c1836a849fd1c51b8239b83e339881e626d2908908de179c3604",
            )
        },
        valid_m=(1e-3, 10.0),
        box=Box(rows=(45, 471), columns=(41, 601), of=(480, 640)),
        strata="kind",
    ),
    "kitti": DepthLayout(
        tar="kitti/kitti_eigen_split_test.tar",
        templates=Templates(
            image="{date}/{date}_drive_{drive}_sync/image_02/data/{frame}.png",
            depth="{date}_drive_{drive}_sync/proj_depth/groundtruth/image_02/{frame}.png",
        ),
        decoding="png / 256",
        official={
            "kitti": Official(
                images=652,
                list_sha256="a3eaf299a56ec6d268e50f87713ccd8c93d3a34c7a0bcf0e0cfef72700acd9dd",
            )
        },
        valid_m=(1e-5, 80.0),
        box=EIGEN,
        cropped=True,
        unlabelled=True,
    ),
    "eth3d": DepthLayout(
        tar="eth3d/eth3d.tar",
        templates=Templates(
            image="rgb/{scene}/images/{camera}/{frame}.JPG",
            depth="depth/{scene}_dslr_depth/{scene}/ground_truth_depth/{camera}/{frame}.JPG",
        ),
        decoding="raw float32, inf is 0",
        official={
            "eth3d": Official(
                images=454,
                list_sha256="65636907f52e7506f193155c3499e92eaf9712980ae2a239fac42ab1c8c17011",
            )
        },
        valid_m=(1e-5, float("inf")),
        strata="scene",
    ),
    "scannet": DepthLayout(
        tar="scannet/scannet_val_sampled_800_1.tar",
        templates=Templates(
            image="scene{scene}/color/{frame}.jpg", depth="scene{scene}/depth/{frame}.png"
        ),
        decoding="png / 1000",
        official={
            "scannet": Official(
                images=800,
                list_sha256="ff58dafe4413d44a78d65809fb784ecaa1ed3178664c511fc56be62017744cbc",
            )
        },
        valid_m=(1e-3, 10.0),
    ),
    "diode": DepthLayout(
        tar="diode/diode_val.tar",
        templates=Templates(
            image="{kind}/scene_{scene}/scan_{scan}/{view}.png",
            depth="{kind}/scene_{scene}/scan_{scan}/{view}_depth.npy",
            mask="{kind}/scene_{scene}/scan_{scan}/{view}_depth_mask.npy",
        ),
        decoding="npy",
        official={
            "diode": Official(
                images=771,
                list_sha256="f41469a8bb4aebe8afdcee87e0fed27329979a6eb3e4ad94c0e82e331bf4095d",
            ),
            "diode-indoor": Official(
                images=325,
                list_sha256="fcd59d27eda608d2916f6f04a783e93cb884d1889a35a0a257c4ef59e747f06f",
            ),
            "diode-outdoor": Official(
                images=446,
                list_sha256="332558e8ab6e406e8e89143c39e638e5570abd6e9d79a3f64179db934441a2fe",
            ),
        },
        strata="kind",
    ),
}
