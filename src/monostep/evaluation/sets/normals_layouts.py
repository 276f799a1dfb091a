"""What the published normals benchmarks look like on disk, as data.

Source: the evaluation data of DSINE (Bae and Davison, CVPR 2024), folder dsine_eval, on which
fine-tuned diffusion models are measured too. Truth of NYUv2 is GeoNet's, of ScanNet FrameNet's;
that of iBims-1, Sintel and Virtual KITTI was fitted to depth. A list is known by its length and
hash; it is found again from the files' names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from monostep.evaluation.sets.lists import Templates
from monostep.geometry.frames import Frame

Decoding: TypeAlias = Literal["8-bit png", "16-bit png", "exr", "oasis pickle"]
"""Codes from 0 to the largest mean -1 to 1, and black means none; floats mean themselves, and a
length up to 0.5 means none; OASIS's box around what is known, and 0 in it means none."""

Scenes: TypeAlias = Literal["indoor", "outdoor"]

FOLDER = "dsine_eval"  # holds a folder per data set


@dataclass(frozen=True, kw_only=True)
class NormalsLayout:
    """One data set: where its files lie, and how truth is decoded."""

    name: str  # of the benchmark, as it is typed
    templates: Templates  # `depth` is where the normals are
    decoding: Decoding
    images: int  # in the published list
    list_sha256: str | None  # of the published list, as SampleList.sha256; None: never computed
    domain: Scenes
    frame: Frame = "dsine"
    strata: str = "all"  # what images are grouped by, in terms of the first template's fields


LAYOUTS: Mapping[str, NormalsLayout] = {
    "nyuv2": NormalsLayout(
        name="nyuv2-normals",
        templates=Templates(image="test/{frame}_img.png", depth="test/{frame}_normal.png"),
        decoding="8-bit png",
        images=654,
        list_sha256="7184453b4473b104330c3b9fed8fe4c380cb0c12f7df6fea861e2edf5c20a47a",
        domain="indoor",
    ),
    "scannet": NormalsLayout(
        name="scannet-normals",
        templates=Templates(
            image="scene{scene}/{frame}_img.png", depth="scene{scene}/{frame}_normal.png"
        ),
        decoding="8-bit png",
        images=300,
        list_sha256="07a72c120a46719cb4b5dcfabb9e76e97f67ad392de6e24ddfcf66015cf2ccd4",
        domain="indoor",
    ),
    "ibims": NormalsLayout(
        name="ibims",
        templates=Templates(
            image="ibims/{kind}_{number}_img.png", depth="ibims/{kind}_{number}_normal.exr"
        ),
        decoding="exr",
        images=100,
        list_sha256="2eb35d98257c78a87ec1a3a2adb79cd41320561a28cbb300081f0345b5ceec0f",
        domain="indoor",
        strata="{kind}",
    ),
    "sintel": NormalsLayout(
        name="sintel",
        templates=Templates(
            image="{scene}/frame_{frame}_img.png", depth="{scene}/frame_{frame}_normal.exr"
        ),
        decoding="exr",
        images=1064,
        list_sha256="15fbef725ff360f7be74eb7bfbdba5eb51dd58046caff748dc06486f6d4cdb21",
        domain="outdoor",
        strata="{scene}",
    ),
    "vkitti": NormalsLayout(
        name="vkitti",
        templates=Templates(
            image="Scene{scene}/{frame}_img.jpg", depth="Scene{scene}/{frame}_normal.png"
        ),
        decoding="16-bit png",
        images=1000,
        list_sha256="de0514a7b4b472fc4993b5231c82393172b0e3cf97a9159c72f9b93586f50d18",
        domain="outdoor",
        strata="Scene{scene}",
    ),
    "oasis": NormalsLayout(
        name="oasis",
        templates=Templates(image="val/{name}_img.png", depth="val/{name}_normal.pkl"),
        decoding="oasis pickle",
        images=10_000,
        list_sha256=None,
        domain="outdoor",
        frame="directx",
    ),
}
