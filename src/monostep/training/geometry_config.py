"""Runs of one network for depth and normals together: end to end, or by diffusion.

TruthConfig
+ GeometryConfig              one step, losses on both decoded maps
  + GeometryDiffusionConfig   any step, squared errors of both latents; a DiffusionConfig, too
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from monostep.checkpoints.card import Attention
from monostep.errors import SettingError
from monostep.training.diffusion_config import DiffusionConfig
from monostep.training.truth_config import Noise, TruthConfig

OwnAttention: TypeAlias = Literal["start", Attention]


@dataclass(frozen=True, kw_only=True)
class GeometryConfig(TruthConfig):
    """E2E-FT's GeoWizard: the depth loss and the normals' angle, in one pass of both halves."""

    unet: str | None = None  # folder of the start's UNet, of several: unet_v2 reads words
    depth_weight: float = 0.5  # of the depth loss of an image
    normals_weight: float = 1.0  # of its angle in radians
    # Whether the halves attend to each other; start: as that does, or, without one, joint.
    attention: OwnAttention = "start"
    class_rate: float = 1.0  # of the class embedding, in learning rates of the others; E2E-FT: 10
    # Folder or Hub id whose image_encoder/ a start without one gets; none: of the image variations
    # of Stable Diffusion (GeoWizard's).
    image_encoder: str | None = None
    train_image_encoder: bool = False  # with the UNet; GeoWizard's stays as it is

    def __post_init__(self) -> None:
        """Refuse what cannot be run, or would be of no effect."""
        super().__post_init__()
        self.require_above_zero("depth_weight", "normals_weight", "class_rate")
        self.refuse("prompt_tokens", why="its network reads an image, or a domain's name")
        if self.noise == "none":
            raise SettingError(
                f"noise none: {self.recipe} has two halves of noisy latents, which its UNet must "
                "see; choose zeros or gaussian"
            )
        if self.start is None:
            why = "without a start everything but the codec is random"
            self.refuse("image_encoder", "unet", why=why)
        if self.rank and self.class_rate != 1:
            raise SettingError(
                f"rank {self.rank} with class_rate {self.class_rate}: adapters alone learn, and "
                "the class embedding would not; add --set class_rate=1"
            )
        if self.rank and self.train_image_encoder:
            raise SettingError(
                f"rank {self.rank} with train_image_encoder: adapters alone learn, and the encoder "
                "would not; leave one of the two out"
            )


@dataclass(frozen=True, kw_only=True)
class GeometryDiffusionConfig(GeometryConfig, DiffusionConfig):
    """GeoWizard's own training: both halves learn to denoise, at one timestep an image."""

    noise: Noise = "gaussian"  # where prediction starts, as of every diffusion model
    # Of the squared errors on the latents: their mean over both halves, as in GeoWizard.
    depth_weight: float = 0.5
    normals_weight: float = 0.5
