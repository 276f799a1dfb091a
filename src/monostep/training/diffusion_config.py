"""Runs whose loss is on latents: one step (LatentConfig), any step (stage 1), consistency.

TruthConfig
+ LatentConfig             one step, mean squared error of the clean latent
  + DiffusionConfig        Marigold's stage 1: random timesteps, annealed noise
  + ConsistencyConfig      a stage-1 teacher, distilled
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from monostep.checkpoints.families import HOW
from monostep.diffusion.annealed import Strategy
from monostep.errors import SettingError
from monostep.training.truth_config import Noise, TruthConfig

Holes: TypeAlias = Literal["near", "middle", "far"]
TrainingNoise: TypeAlias = Literal[Strategy, "pyramid-geowizard", "white"]
FIXED_LEVELS = ("white", "pyramid-geowizard")
DECODED = (  # settings of TruthConfig for losses on decoded maps
    "train_encoder",
    "train_decoder",
    "depth_unit",
    "clip_target",
    "align_from",
    "gradient_weight",
    "gradient_scales",
)


@dataclass(frozen=True, kw_only=True)
class LatentConfig(TruthConfig):
    """One step at t = T-1, and the squared error of the clean latent against the truth's."""

    # Whether only latent cells count whose block of pixels is all valid: Marigold's depth; its
    # normals count everywhere.
    masked: bool = True
    # What is painted where there is no depth, before it is encoded: Marigold's depth of 0 becomes
    # -1, which is near. Normals face the camera there, as in Marigold v1.1.
    holes: Holes = "near"

    def __post_init__(self) -> None:
        """Refuse what cannot be run, or would be of no effect."""
        super().__post_init__()
        self.refuse(*DECODED, why="its loss is on latents")
        if self.task == "normals":
            self.refuse("holes", why="normals face the camera there")


@dataclass(frozen=True, kw_only=True)
class DiffusionConfig(LatentConfig):
    """Marigold's stage 1: the network learns to denoise the truth's latent from any timestep."""

    noise: Noise = "gaussian"  # where prediction starts; what is learned from has its own settings
    validation_steps: int = 4  # of the prediction that is scored, and of the result's card

    # Grids of multi-resolution noise, or GeoWizard's, whose strength is always annealed, or white.
    training_noise: TrainingNoise = "original"
    noise_strength: float = 0.9  # of its coarse levels at t = T
    noise_annealed: bool = True  # strength in proportion to t / T, else the same at every t
    zero_snr: bool = False  # noise schedule without any signal at t = T-1: Marigold v1.1

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        super().__post_init__()
        if self.noise == "none":
            raise SettingError(
                f"noise none: {self.recipe} denoises, so its UNet must see the noisy latent; "
                "choose gaussian, or the recipe latent-e2e"
            )
        if self.training_noise in FIXED_LEVELS:
            why = f"the levels of {self.training_noise} noise are what they are"
            self.refuse("noise_strength", "noise_annealed", why=why)
        if not 0 <= self.noise_strength <= 1:
            raise SettingError(f"noise_strength {self.noise_strength}: it must be in [0, 1]")
        if self.validation_steps < 1:
            raise SettingError(f"validation_steps {self.validation_steps}: it must be at least 1")

    @property
    def how(self) -> dict[str, Any]:
        """How the result is to be run: values of its card."""
        steps = self.validation_steps
        return {"family": "diffusion", "steps": steps, **HOW["diffusion"], "noise": self.noise}


@dataclass(frozen=True, kw_only=True)
class ConsistencyConfig(LatentConfig):
    """Latent consistency distillation: a stage-1 teacher in one to four steps."""

    teacher: str | None = None  # stage-1 model: folder or Hub id
    noise: Noise = "gaussian"
    validation_steps: int = 1
    masked: bool = False  # the teacher's word is the truth, also where no depth was measured

    coarse: int = 50  # steps of the teacher's DDIM that are distilled
    skip: int = 1  # steps of them between two latents that must agree; 1 is 20 timesteps of 1000
    huber: float = 1e-3  # threshold of the pseudo-Huber loss
    follow: float = 0.95  # decay of the average of the student's weights that gives its targets

    def __post_init__(self) -> None:
        """Refuse what cannot be run, or would be of no effect."""
        super().__post_init__()
        self.refuse(
            "start",
            "autoencoder",
            "prompt_tokens",
            "halve_bias",
            "frame",
            why="the student is made from the teacher",
        )
        self.require_above_zero("huber")
        if self.noise != "gaussian":
            raise SettingError(f"noise {self.noise}: a consistency model is run from gaussian")
        if not 1 <= self.skip <= self.coarse:
            raise SettingError(
                f"skip {self.skip}, coarse {self.coarse}: expected 1 <= skip <= coarse"
            )
        if not 1 <= self.validation_steps <= self.coarse:
            raise SettingError(
                f"validation_steps {self.validation_steps}: expected 1 to {self.coarse}, the "
                "steps of coarse"
            )
        for name in ("shard", "rank"):
            if getattr(self, name):
                raise SettingError(
                    f"{name} {getattr(self, name)}: the targets of {self.recipe} are an average of "
                    f"the network's whole weights; leave {name} out"
                )
        if not 0 <= self.follow < 1:
            raise SettingError(f"follow {self.follow}: it must be in [0, 1)")

    @property
    def teacher_name(self) -> str:
        """The teacher; SettingError while none is set."""
        if self.teacher is None:
            raise SettingError(f"{self.recipe} needs a teacher: add --set teacher=MODEL")
        return self.teacher

    @property
    def how(self) -> dict[str, Any]:
        """How the result is to be run: values of its card."""
        return {"family": "consistency", "steps": self.validation_steps, **HOW["consistency"]}
