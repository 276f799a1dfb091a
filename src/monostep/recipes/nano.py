"""The embedded self-test models: small enough to train on a laptop's CPU.

They start from miniature-depth, the diffusion model of depth inside the package, which is seed 0 of
`monostep reproduce miniature`. Without `start` they begin from random weights, which is what a
quick try wants.
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


def nano_depth() -> TruthConfig:
    """Affine depth by one-step end-to-end fine-tuning of the miniature's diffusion model.

    monostep train nano-depth -o runs/nano-depth --set start=miniature-depth

    Half the resolution first. The loss is AbsRel after alignment, which is what is measured.
    """
    return TruthConfig(
        recipe="nano-depth",
        task="depth",
        steps=4000,
        phases=((0.0, 48, 64, 32), (0.83, 96, 128, 32)),
        scenes=12_000,
        learning_rate=5e-4,
        final_fraction=0.02,
        depth_unit="relative",
        validate_every=500,
    )


def nano_normals() -> TruthConfig:
    """Surface normals by one-step end-to-end fine-tuning, likewise.

    monostep train nano-normals -o runs/nano-normals --set start=miniature-depth
    """
    of_depth = ("depth_unit",)
    config = nano_depth()
    usual = {
        each.name: each.default for each in dataclasses.fields(config) if each.name in of_depth
    }
    return dataclasses.replace(config, recipe="nano-normals", task="normals", **usual)
