"""The embedded self-test models: small enough to train on a laptop's CPU.

The README lists the five commands in order. Without `start` the later stages begin from random
weights, which is what a quick try wants; AUTOENCODER is runs/nano-autoencoder/model, or by default
the one inside the embedded models.
"""

import dataclasses

from monostep.training.truth_config import TruthConfig


def nano_autoencoder() -> TruthConfig:
    """Autoencoder for RGB, depth and normals of procedural scenes, 4 x 4 pixels a latent.

    monostep train nano-autoencoder -o runs/nano-autoencoder
    """
    return TruthConfig(
        recipe="nano-autoencoder",
        task="autoencoder",
        steps=2400,
        phases=((0.0, 48, 64, 8), (0.75, 96, 128, 4)),
        scenes=12_000,
        learning_rate=1.5e-3,
        final_fraction=0.03,
        weight_decay=0.0,
    )


def nano_depth_start() -> TruthConfig:
    """First stage of nano-depth: from random weights, at half the resolution.

    monostep train nano-depth-start -o runs/nano-depth-start --set autoencoder=AUTOENCODER
    """
    return TruthConfig(
        recipe="nano-depth-start",
        task="depth",
        stop=2500,
        scenes=12_000,
        steps=3600,
        phases=((0.0, 48, 64, 16), (0.7, 96, 128, 16)),
        learning_rate=8e-4,
        final_fraction=0.05,
        align_from=0.5,
        depth_unit="image",
    )


def nano_depth_relative() -> TruthConfig:
    """Second stage of nano-depth: full resolution, and the loss is AbsRel after alignment.

    monostep train nano-depth-relative -o runs/nano-depth-relative --set autoencoder=AUTOENCODER
        --set start=runs/nano-depth-start
    """
    return TruthConfig(
        recipe="nano-depth-relative",
        task="depth",
        steps=900,
        phases=((0.0, 96, 128, 16),),
        seed=1,
        scenes=12_000,
        learning_rate=4e-4,
        warmup=50,
        final_fraction=0.03,
        depth_unit="relative",
    )


def nano_depth() -> TruthConfig:
    """Affine depth by one-step end-to-end fine-tuning; its last stage, annealed once more.

    monostep train nano-depth -o runs/nano-depth --set autoencoder=AUTOENCODER
        --set start=runs/nano-depth-relative
    """
    return dataclasses.replace(
        nano_depth_relative(),
        recipe="nano-depth",
        steps=600,
        seed=2,
        learning_rate=2.5e-4,
        final_fraction=0.02,
        validate_every=100,
    )


def nano_normals() -> TruthConfig:
    """Surface normals by one-step end-to-end fine-tuning, from the depth model's weights.

    monostep train nano-normals -o runs/nano-normals --set autoencoder=AUTOENCODER
        --set start=runs/nano-depth-relative
    """
    return TruthConfig(
        recipe="nano-normals",
        task="normals",
        steps=1400,
        phases=((0.0, 48, 64, 16), (0.5, 96, 128, 16)),
        scenes=12_000,
        learning_rate=6e-4,
        warmup=50,
        final_fraction=0.03,
    )
