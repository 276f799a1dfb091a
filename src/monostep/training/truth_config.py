"""Runs that learn from true depth and normals.

What a recipe of E2E-FT leaves open, or does otherwise than the paper says, is a setting here, so
that no choice is made silently; `monostep.recipes.paper.parity` makes the reference's.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from monostep.checkpoints import prompt
from monostep.checkpoints.families import HOW
from monostep.data.augment import Augmentation
from monostep.errors import SettingError
from monostep.geometry.depth import Quantity
from monostep.geometry.frames import Frame
from monostep.losses.depth import Unit
from monostep.network.sizes import Size
from monostep.training.config import Family, TrainConfig

Noise: TypeAlias = Literal["zeros", "gaussian", "pyramid", "pyramid-geowizard", "none"]
NetworkFrame: TypeAlias = Literal["start", Frame]
Pool: TypeAlias = Literal["image", "batch"]

CHANGES = ("jitter", "camera", "blur", "motion_blur")
OF_NEW_AUTOENCODERS = ("family", "latent_weight")
OF_DEPTH = (
    "quantity",
    "depth_unit",
    "clip_target",
    "align_from",
    "gradient_weight",
    "gradient_scales",
    "far_m",
    "sky_weight",
)
OF_MODELS = (  # and not of an autoencoder alone
    "start",
    "autoencoder",
    "prompt_tokens",
    "halve_bias",
    "train_encoder",
    "train_decoder",
    *CHANGES,
    "zoom",
    "noise",
    "pool",
    "frame",
    "quantity",
    "depth_unit",
    "clip_target",
    "align_from",
    "gradient_weight",
    "gradient_scales",
    "rank",
    "latents",
    "frozen_precision",
    "recompute",
    "compile",
)


@dataclass(frozen=True, kw_only=True)
class TruthConfig(TrainConfig):
    """A run on images whose depth and normals are known."""

    # Model, on this machine or on the Hub, whose UNet the training starts from; none: random. Or a
    # run, for its last weights; for its result, RUN/model, if adapters or an average made that, or
    # if the run learned from a teacher's maps.
    start: str | None = None
    size: Size = "nano"  # of the networks that are random at the start
    autoencoder: str | None = None  # of this model; none: of the start, or of nano-depth
    prompt_tokens: int = 2  # 2 as at inference, or 77, to which E2E-FT pads its empty prompt
    halve_bias: bool = False  # with the weights where conv_in is doubled: E2E-FT; Marigold does not
    train_encoder: bool = False  # with the UNet, so that a small model's latents say what it needs
    train_decoder: bool = False  # with the UNet; E2E-FT, supplement, table A-2
    family: Family = "tiny"  # of an autoencoder trained from scratch
    latent_weight: float = 1e-3  # keeps the latents of an autoencoder near unit size

    # Shares of the images whose colours vary, that another camera takes in another light, that are
    # out of focus, and that are shaken.
    jitter: float = 0.0
    camera: float = 0.0
    blur: float = 0.0
    motion_blur: float = 0.0
    zoom: float = 1.0  # largest magnification at which a part of an image is seen; 1: the whole

    noise: Noise = "zeros"  # z_t beside the image's latent; none: a UNet of 4 channels, without it
    pool: Pool = "image"  # mean of the images' means, or, as E2E-FT, of the batch's pixels
    frame: NetworkFrame = "start"  # the network's own, of normals; start: what that says, or opengl

    # What the decoder paints: DepthMaster's sqrt_disparity, Lotus's disparity, FE2E's log_depth,
    # or the paper's depth.
    quantity: Quantity = "depth"
    depth_unit: Unit = "metre"
    clip_target: bool = False  # depth clamped to its 2 % and 98 % quantiles, as in E2E-FT
    align_from: float = 0.0  # from this fraction of the steps on the depth loss is affine-invariant
    gradient_weight: float = 0.0  # of the gradient matching loss of MiDaS, which takes 0.5
    gradient_scales: int = 4  # resolutions of it, each half of the one before
    far_m: float = 80.0  # what is beyond is as the sky: as far as the image's farthest surface
    sky_weight: float = 0.1  # of such a pixel, against 1 for the others; 0 leaves it out

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        super().__post_init__()
        self.require_above_zero("far_m", "gradient_scales")
        self.require_not_negative("sky_weight", "latent_weight", "align_from", "gradient_weight")
        prompt.check_tokens(self.prompt_tokens)
        if self.quantity == "log_depth" and self.depth_unit == "relative":
            raise SettingError(
                "depth_unit relative with quantity log_depth: a logarithm has no relative error, "
                "it is one; choose depth_unit metre"
            )
        if self.start is not None:
            self.refuse("size", why="the start has its own")
        for part in ("encoder", "decoder"):
            if self.rank and getattr(self, f"train_{part}"):
                raise SettingError(
                    f"rank {self.rank} with train_{part}: adapters alone learn, and the {part} "
                    "would not; leave one of the two out"
                )
        self._check_changes()
        self._check_task()

    def _check_changes(self) -> None:
        """Refuse shares of changed images that are none, or whose latents should be kept."""
        if not self.zoom >= 1:
            raise SettingError(f"zoom {self.zoom}: a magnification must be at least 1")
        for name in CHANGES:
            if not 0 <= getattr(self, name) <= 1:
                raise SettingError(f"{name} {getattr(self, name)}: a share must be in [0, 1]")
        if self.latents is not None and (self.augmentation.changes or self.zoom > 1):
            raise SettingError(
                f"latents {self.latents}: images that are changed at random have no latent to "
                f"keep; leave latents out, or set {', '.join(CHANGES)} to 0 and zoom to 1"
            )

    def _check_task(self) -> None:
        """Refuse settings that would be of no effect on what the run learns."""
        if self.task == "autoencoder":
            self.refuse(*OF_MODELS, why="it trains an autoencoder alone")
            return
        self.refuse(*OF_NEW_AUTOENCODERS, why="its autoencoder is not trained from scratch")
        if self.task == "depth":
            self.refuse("frame", why="it learns depth, not normals")
        elif self.task == "normals":
            self.refuse(*OF_DEPTH, why="it learns normals, not depth")

    @property
    def augmentation(self) -> Augmentation:
        """How images are changed before the network sees them."""
        return Augmentation(**{name: getattr(self, name) for name in CHANGES})

    @property
    def how(self) -> dict[str, Any]:
        """How the result is to be run: values of its card."""
        noise = "zeros" if self.noise == "none" else self.noise
        return {"family": "end-to-end", "steps": 1, **HOW["end-to-end"], "noise": noise}
