"""What a run is: one frozen, complete description; recipes return it, `--set` changes it.

TrainConfig                what every run has
+ TruthConfig              learns from true depth and normals (training/truth_config.py)
+ CodecConfig              learns a teacher's latents and maps (training/distil_config.py)
+ StudentConfig            learns a teacher's maps end to end (training/distil_config.py)
"""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from monostep.data.splits import SEEDS
from monostep.errors import SettingError

Task: TypeAlias = Literal["autoencoder", "depth", "normals", "codec", "student"]
Precision: TypeAlias = Literal["fp32", "bf16"]
Family: TypeAlias = Literal["tiny", "kl"]
Phase: TypeAlias = tuple[float, int, int, int]


POSITIVE = (
    "steps",
    "accumulate",
    "scenes",
    "validation_scenes",
    "log_every",
    "validate_every",
    "checkpoint_every",
    "learning_rate",
    "final_fraction",
    "clip",
)
NOT_NEGATIVE = ("warmup", "weight_decay", "workers")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What every training run has; derived values are computed, never set."""

    recipe: str
    task: Task
    steps: int  # optimiser steps
    stop: int | None = None  # stop after this step; the schedules still run over all `steps`
    # (from this fraction of the steps on, image height, image width, images per micro-batch)
    phases: tuple[Phase, ...]
    accumulate: int = 1  # micro-batches per optimiser step
    seed: int = 0  # of the initial weights and the order of flips
    scenes: int = 20_000  # distinct training images; indices start over after the last
    scene_seed: int = SEEDS["train"]
    validation_scenes: int = 96
    flip: bool = True

    learning_rate: float = 5e-4
    warmup: int = 100
    final_fraction: float = 0.01  # of the learning rate, reached exponentially at the last step
    weight_decay: float = 1e-2
    beta1: float = 0.9
    beta2: float = 0.999
    clip: float = 1.0  # norm of the gradient

    precision: Precision = "bf16"
    device: str = "auto"
    workers: int = 0
    cache: str | None = None  # folder that keeps rendered scenes
    log_every: int = 20
    validate_every: int = 250
    checkpoint_every: int = 250

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        self.require_above_zero(*POSITIVE)
        self.require_not_negative(*NOT_NEGATIVE)
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingError(f"{name} is {getattr(self, name)}: it must be in [0, 1)")
        if self.stop is not None and self.stop < 1:
            raise SettingError(f"stop is {self.stop}: it must be at least 1, or none")
        self._check_phases()

    def require_above_zero(self, *names: str) -> None:
        """Raise SettingError for the first of these settings that is 0, negative or nan."""
        for name in names:
            if not getattr(self, name) > 0:  # true for nan, too
                raise SettingError(f"{name} is {getattr(self, name)}: it must be above 0")

    def require_not_negative(self, *names: str) -> None:
        """Raise SettingError for the first of these settings that is negative or nan."""
        for name in names:
            if not getattr(self, name) >= 0:
                raise SettingError(f"{name} is {getattr(self, name)}: it must be 0 or above")

    def _check_phases(self) -> None:
        starts = [phase[0] for phase in self.phases]
        if not starts or starts[0] != 0 or starts != sorted(starts) or starts[-1] >= 1:
            raise SettingError(
                f"phases begin at {starts}: the first at 0, then rising, all below 1; "
                "for instance [[0, 48, 64, 16], [0.5, 96, 128, 16]]"
            )
        if any(min(phase[1:]) < 1 for phase in self.phases):
            raise SettingError(f"phases {self.phases}: height, width and batch must be at least 1")
        _, height, width, _ = self.phases[-1]
        if any(height % h or width % w or height // h != width // w for _, h, w, _ in self.phases):
            raise SettingError(
                f"phases {self.phases}: the last size must be the same whole multiple of each size"
            )

    @property
    def last(self) -> int:
        """Number of optimiser steps that are taken."""
        return self.steps if self.stop is None else min(self.stop, self.steps)

    def phase(self, step: int) -> Phase:
        """The phase that a step (from 0) belongs to."""
        return max(phase for phase in self.phases if phase[0] * self.steps <= step)

    def as_dict(self) -> dict[str, Any]:
        """The config as plain values, for logs and cards."""
        return dataclasses.asdict(self)
