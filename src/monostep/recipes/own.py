"""A model made better on one's own images: from own truth, or from a model's labels beside truth.

Sizes, batches and steps fit the embedded models, which learn on a CPU. For a full-size start, say

    --set start=prs-eth/marigold-depth-v1-0 --set phases='[[0,480,640,2]]' --set accumulate=16
    --set learning_rate=3e-5 --set recompute=unet

docs/own-data.md goes through all of it, with measured gains.
"""

from typing import Any

from monostep.training.geometry_config import GeometryConfig
from monostep.training.truth_config import TruthConfig

COMMON: dict[str, Any] = {
    "steps": 200,
    "phases": ((0.0, 96, 128, 8),),
    "learning_rate": 1e-4,
    "warmup": 20,
    "final_fraction": 0.05,
    "validate_every": 25,
    "checkpoint_every": 50,
}


def finetune_depth() -> TruthConfig:
    """Affine depth from own data; a tenth, at most 96 images, says which model is the best.

    monostep train finetune-depth -o runs/own --set data=own.jsonl

    The loss is in units of each image's own depth, so that manifests of every unit will do;
    relative ones need validation_data that has a unit. Where all depth has one,
    --set depth_unit=relative learns what AbsRel measures.
    """
    return TruthConfig(
        recipe="finetune-depth",
        task="depth",
        start="nano-depth",
        data=("own.jsonl",),
        depth_unit="image",
        **COMMON,
    )


def finetune_normals() -> TruthConfig:
    """Surface normals from own data; where a manifest has none, they come from depth and camera.

    monostep train finetune-normals -o runs/own --set data=own.jsonl
    """
    return TruthConfig(
        recipe="finetune-normals",
        task="normals",
        start="nano-normals",
        data=("own.jsonl",),
        **COMMON,
    )


def finetune_geometry() -> GeometryConfig:
    """Affine depth and surface normals from own data, with one network: GeoWizard, full size.

    monostep train finetune-geometry -o runs/own --set data=own.jsonl

    Depth is learned in units of each image's own. From a run of nano-geometry, on a CPU:

        --set start=runs/nano-geometry --set phases='[[0,96,128,8]]' --set accumulate=1
        --set learning_rate=1e-4 --set recompute=none
    """
    full_size = {"phases": ((0.0, 480, 640, 2),), "accumulate": 16, "learning_rate": 3e-5}
    return GeometryConfig(
        recipe="finetune-geometry",
        task="geometry",
        start="lemonaddie/geowizard",
        data=("own.jsonl",),
        depth_unit="image",
        recompute="unet",
        **(COMMON | full_size),
    )


def self_train() -> TruthConfig:
    """Affine depth from truth and from a model's own labels of photographs without truth.

    monostep data label PHOTOS --model nano-depth -o labels.jsonl
    monostep train self-train -o runs/self --set data=truth.jsonl,labels.jsonl
        --set validation_data=held-out.jsonl

    Half of the batches are labels, whose confidence weighs their pixels. Validation must be truth:
    labels would call their own mistakes right.
    """
    return TruthConfig(
        recipe="self-train",
        task="depth",
        start="nano-depth",
        data=("truth.jsonl", "labels.jsonl"),
        weights=(1, 1),
        validation_data=("held-out.jsonl",),
        depth_unit="image",
        **COMMON,
    )
