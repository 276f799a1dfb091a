"""The embedded self-test models: small enough to train on a laptop's CPU.

They start from miniature-depth, the diffusion model of depth inside the package, which is seed 0 of
`monostep reproduce miniature`. Without `start` they begin from random weights, which is what a
quick try wants.
"""

import dataclasses

from monostep.training.truth_config import OF_DEPTH, TruthConfig


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
    """First stage of nano-depth: a diffusion model end to end, at half the resolution.

    monostep train nano-depth-start -o runs/nano-depth-start --set start=miniature-depth

    The loss is AbsRel after alignment, which is what is measured.
    """
    return TruthConfig(
        recipe="nano-depth-start",
        task="depth",
        steps=2600,
        phases=((0.0, 48, 64, 32),),
        scenes=12_000,
        learning_rate=5e-4,
        final_fraction=0.08,
        depth_unit="relative",
        sky_weight=0.03,
        validate_every=500,
        result="last",
    )


def nano_depth() -> TruthConfig:
    """Affine depth by one-step end-to-end fine-tuning, at full resolution.

    monostep train nano-depth -o runs/nano-depth --set start=runs/nano-depth-start
    """
    return dataclasses.replace(
        nano_depth_start(),
        recipe="nano-depth",
        steps=6000,
        phases=((0.0, 96, 128, 16),),
        seed=1,
        learning_rate=4e-4,
        warmup=100,
        final_fraction=0.02,
        validate_every=500,
    )


def nano_normals_start() -> TruthConfig:
    """First stage of nano-normals, from the same diffusion model of depth.

    monostep train nano-normals-start -o runs/nano-normals-start --set start=miniature-depth
    """
    return _normals(nano_depth_start())


def nano_normals() -> TruthConfig:
    """Surface normals by one-step end-to-end fine-tuning, at full resolution.

    monostep train nano-normals -o runs/nano-normals --set start=runs/nano-normals-start
    """
    return _normals(nano_depth())


def _normals(depth: TruthConfig) -> TruthConfig:
    """The same training with the loss of normals, which knows no depth."""
    unset = {name: TruthConfig.__dataclass_fields__[name].default for name in OF_DEPTH}
    name = depth.recipe.replace("depth", "normals")
    return dataclasses.replace(depth, recipe=name, task="normals", **unset)
