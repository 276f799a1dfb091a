"""Runs that learn from true depth and normals."""

from dataclasses import dataclass

from monostep.losses.depth import Unit
from monostep.training.config import Family, TrainConfig


@dataclass(frozen=True, kw_only=True)
class TruthConfig(TrainConfig):
    """A run on procedural scenes, whose depth and normals are known."""

    autoencoder: str = "nano-depth"  # model whose frozen autoencoder is used
    # model whose UNet the training starts from, or a run, for its last weights; none: random
    start: str | None = None
    family: Family = "tiny"  # of an autoencoder trained from scratch
    latent_weight: float = 1e-3  # keeps the latents of an autoencoder near unit size

    depth_unit: Unit = "metre"
    align_from: float = 0.0  # from this fraction of the steps on the depth loss is affine-invariant
    far_m: float = 80.0  # depths beyond, and the sky, count as this far
    sky_weight: float = 0.1  # of a pixel at `far_m`, against 1 for the others; 0 leaves it out

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        super().__post_init__()
        self.require_above_zero("far_m")
        self.require_not_negative("sky_weight", "latent_weight", "align_from")
