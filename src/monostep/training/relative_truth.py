"""Truth that is known only up to scale and shift: which runs can use it, and for what.

A loss in units of the image itself does not ask for metres. A loss in metres would let the unit of
a manifest decide what an image weighs; relative errors, and AbsRel, divide by a depth whose zero
lies anywhere; and disparity and logarithm are not what they are called.
"""

from typing import TypeGuard

from monostep.data.manifest import Declaration
from monostep.errors import SettingError
from monostep.training.config import TrainConfig
from monostep.training.diffusion_config import LatentConfig
from monostep.training.truth_config import TruthConfig


def check_learned(config: TrainConfig, declaration: Declaration) -> None:
    """Refuse to learn depth from such truth but with a loss that has no unit.

    Raises:
        SettingError: what stands against it.
    """
    if not _is_affine(declaration) or not _is_depth(config):
        return
    if config.quantity != "depth":
        raise SettingError(
            f"{declaration.name}: depth known up to scale and shift has no {config.quantity}; "
            "choose quantity depth, or data with a unit"
        )
    # Other losses than the aligned one are on latents of the normalised truth.
    if not isinstance(config, LatentConfig) and config.depth_unit != "image":
        raise SettingError(
            f"{declaration.name}: depth known up to scale and shift has no depth_unit "
            f"{config.depth_unit}; choose depth_unit image, or data with a unit"
        )


def check_measured(config: TrainConfig, declaration: Declaration) -> None:
    """Refuse to measure AbsRel on such truth.

    Raises:
        SettingError: it is depth that would be measured.
    """
    if _is_affine(declaration) and _is_depth(config):
        raise SettingError(
            f"{declaration.name}: AbsRel divides by depth, and this one is known only up to scale "
            "and shift; name truth with a unit in validation_data"
        )


def _is_affine(declaration: Declaration) -> bool:
    return declaration.unit == "relative" and declaration.quantity == "depth"


def _is_depth(config: TrainConfig) -> TypeGuard[TruthConfig]:
    return isinstance(config, TruthConfig) and config.task in ("depth", "geometry")
