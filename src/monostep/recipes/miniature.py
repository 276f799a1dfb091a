"""The paper in miniature: its models at a size that a CPU trains, on procedural scenes.

`monostep reproduce miniature` runs them all, for each of its seeds, and measures what comes out.
One by one, with a seed S:

    monostep train miniature-autoencoder -o A --set seed=S
    monostep train miniature-base -o B --set seed=S --set autoencoder=A/model
    monostep train miniature-depth -o D --set seed=S --set start=B/model
    monostep train miniature-e2e-depth -o E --set seed=S --set start=D/model  # or B/model
    monostep train miniature-lcm -o L --set seed=S --set teacher=D/model

Common to all: scenes of 64x80 pixels, 32 a step (the autoencoder 16), an autoencoder of 4 x 4
pixels a latent, a UNet of 4.6 million weights, and products in bfloat16. Images per second are
those of one thread of a CPU with AMX.
"""

import dataclasses
from typing import Any

from monostep.recipes.nano import nano_autoencoder
from monostep.training.diffusion_config import ConsistencyConfig, DiffusionConfig, LatentConfig
from monostep.training.geometry_config import GeometryConfig
from monostep.training.image_config import ImageConfig
from monostep.training.truth_config import TruthConfig

HEIGHT, WIDTH = 64, 80
COMMON: dict[str, Any] = {
    "phases": ((0.0, HEIGHT, WIDTH, 32),),
    "scenes": 10_000,
    "validation_scenes": 64,
    "pictures": 0,
    "result": "last",
}
END_TO_END: dict[str, Any] = {
    **COMMON,
    "steps": 400,
    "warmup": 40,
    "learning_rate": 5e-4,
    "final_fraction": 0.02,
    # In units of each scene's own spread: an outdoor scene's metres would drown the others'.
    "depth_unit": "image",
    # Until then the loss is that of the normalised truth, so that every start, and every quantity,
    # learns which end is near; after alignment a map and its negative are equally good.
    "align_from": 0.2,
    "sky_weight": 0.0,
    "validate_every": 100,
}
DIFFUSION: dict[str, Any] = {
    **COMMON,
    "learning_rate": 4e-4,
    "final_fraction": 0.02,
    "validate_every": 500,
    "sky_weight": 0.0,
}


def miniature_autoencoder() -> TruthConfig:
    """The miniature's autoencoder, of images, depth and normals alike; about 45 images/s.

    monostep train miniature-autoencoder -o A
    """
    return dataclasses.replace(
        nano_autoencoder(),
        recipe="miniature-autoencoder",
        size="miniature",
        steps=1600,
        **{**COMMON, "phases": ((0.0, HEIGHT, WIDTH, 16),)},
    )


def miniature_base() -> ImageConfig:
    """The miniature's Stable Diffusion: images out of noise, from random weights; 87 images/s.

    monostep train miniature-base -o B --set autoencoder=AUTOENCODER
    """
    return ImageConfig(
        recipe="miniature-base",
        task="image",
        size="miniature",
        steps=4000,
        **COMMON,
        learning_rate=6e-4,
        final_fraction=0.02,
        validate_every=1000,
    )


def miniature_depth() -> DiffusionConfig:
    """The miniature's Marigold: depth by diffusion, from the base model; 85 images/s.

    monostep train miniature-depth -o D --set start=B/model
    """
    return DiffusionConfig(recipe="miniature-depth", task="depth", steps=2000, **DIFFUSION)


def miniature_normals() -> DiffusionConfig:
    """The miniature's Marigold for normals, from the base model; 95 images/s.

    monostep train miniature-normals -o N --set start=B/model
    """
    settings = {name: value for name, value in DIFFUSION.items() if name != "sky_weight"}
    return DiffusionConfig(recipe="miniature-normals", task="normals", steps=2000, **settings)


def miniature_lcm() -> ConsistencyConfig:
    """The miniature's Marigold-LCM: its teacher's 50 steps in one to four; 47 images/s.

    monostep train miniature-lcm -o L --set teacher=D/model
    """
    return ConsistencyConfig(
        recipe="miniature-lcm",
        task="depth",
        steps=400,
        **{**DIFFUSION, "learning_rate": 1e-4, "validate_every": 200},
    )


def miniature_e2e_depth() -> TruthConfig:
    """The miniature's E2E-FT for depth, from any start; 90 images/s.

    monostep train miniature-e2e-depth -o E
        --set start=D/model

    With start=B/model it is "directly from Stable Diffusion". From random weights:
    --set size=miniature --set autoencoder=A/model.
    """
    return TruthConfig(recipe="miniature-e2e-depth", task="depth", **END_TO_END)


def miniature_e2e_normals() -> TruthConfig:
    """The miniature's E2E-FT for normals, from any start; 70 images/s.

    monostep train miniature-e2e-normals -o E
        --set start=N/model
    """
    of_depth = ("depth_unit", "align_from", "sky_weight")
    settings = {name: value for name, value in END_TO_END.items() if name not in of_depth}
    return TruthConfig(recipe="miniature-e2e-normals", task="normals", **settings)


def miniature_latent() -> LatentConfig:
    """One step with the loss on the latent, all else as in miniature-e2e-depth; 70 images/s.

    monostep train miniature-latent -o E --set start=D/model
    """
    of_decoded = ("depth_unit", "align_from")
    settings = {name: value for name, value in END_TO_END.items() if name not in of_decoded}
    return LatentConfig(recipe="miniature-latent", task="depth", **settings)


def miniature_geometry() -> GeometryConfig:
    """The miniature's GeoWizard, end to end from random weights: depth and normals together.

    monostep train miniature-geometry -o G
        --set autoencoder=A/model
    """
    return GeometryConfig(
        recipe="miniature-geometry", task="geometry", size="miniature", **END_TO_END
    )
