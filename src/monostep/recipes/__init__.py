"""Named experiments: functions that return frozen configs."""

from collections.abc import Callable

from monostep.errors import SettingError
from monostep.recipes import distil, geometry, marigold, miniature, nano, own, paper
from monostep.training.config import TrainConfig

RECIPES: dict[str, Callable[[], TrainConfig]] = {
    "nano-autoencoder": nano.nano_autoencoder,
    "nano-depth-start": nano.nano_depth_start,
    "nano-depth": nano.nano_depth,
    "nano-normals-start": nano.nano_normals_start,
    "nano-normals": nano.nano_normals,
    "nano-geometry": geometry.nano_geometry,
    "miniature-autoencoder": miniature.miniature_autoencoder,
    "miniature-base": miniature.miniature_base,
    "miniature-depth": miniature.miniature_depth,
    "miniature-normals": miniature.miniature_normals,
    "miniature-lcm": miniature.miniature_lcm,
    "miniature-e2e-depth": miniature.miniature_e2e_depth,
    "miniature-e2e-normals": miniature.miniature_e2e_normals,
    "miniature-latent": miniature.miniature_latent,
    "miniature-geometry": miniature.miniature_geometry,
    "marigold-e2e-depth": paper.marigold_e2e_depth,
    "marigold-e2e-normals": paper.marigold_e2e_normals,
    "sd-e2e-depth": paper.sd_e2e_depth,
    "sd-e2e-depth-4ch": paper.sd_e2e_depth_4ch,
    "sd-e2e-normals": paper.sd_e2e_normals,
    "e2e-parity-depth": paper.parity_depth,
    "e2e-parity-normals": paper.parity_normals,
    "geowizard-e2e": geometry.geowizard_e2e,
    "geowizard": geometry.geowizard,
    "marigold-depth": marigold.marigold_depth,
    "marigold-depth-v1-1": marigold.marigold_depth_v1_1,
    "marigold-normals": marigold.marigold_normals,
    "marigold-normals-v1-1": marigold.marigold_normals_v1_1,
    "marigold-lcm": marigold.marigold_lcm,
    "latent-e2e": marigold.latent_e2e,
    "finetune-depth": own.finetune_depth,
    "finetune-normals": own.finetune_normals,
    "finetune-geometry": own.finetune_geometry,
    "self-train": own.self_train,
    "distil-decoder": distil.distil_decoder,
    "distil-finetune": distil.distil_finetune,
}


def recipe(name: str) -> TrainConfig:
    """The config of a named recipe; SettingError listing the names for any other."""
    if name not in RECIPES:
        raise SettingError(f"no recipe {name!r}; there are: {', '.join(RECIPES)}")
    return RECIPES[name]()
