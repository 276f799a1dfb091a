"""Named experiments: functions that return frozen configs."""

from collections.abc import Callable

from monostep.errors import SettingError
from monostep.recipes import distil, nano
from monostep.training.config import TrainConfig

RECIPES: dict[str, Callable[[], TrainConfig]] = {
    "nano-autoencoder": nano.nano_autoencoder,
    "nano-depth-start": nano.nano_depth_start,
    "nano-depth-relative": nano.nano_depth_relative,
    "nano-depth": nano.nano_depth,
    "nano-normals": nano.nano_normals,
    "distil-decoder": distil.distil_decoder,
    "distil-finetune": distil.distil_finetune,
}


def recipe(name: str) -> TrainConfig:
    """The config of a named recipe; SettingError listing the names for any other."""
    if name not in RECIPES:
        raise SettingError(f"no recipe {name!r}; there are: {', '.join(RECIPES)}")
    return RECIPES[name]()
