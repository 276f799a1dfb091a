"""What a run is: one frozen, complete description; recipes return it, `--set` changes it.

TrainConfig                what every run has
+ ImageConfig              makes a base model (training/image_config.py)
+ TruthConfig              learns from true depth and normals (training/truth_config.py)
  + GeometryConfig         learns both with one network (training/geometry_config.py)
+ CodecConfig              learns a teacher's latents and maps (training/distil_config.py)
+ StudentConfig            learns a teacher's maps end to end (training/distil_config.py)

On N processes each takes an N-th of every optimiser step: the batch is what the recipe says.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from monostep.data.splits import SEEDS
from monostep.errors import SettingError

Task: TypeAlias = Literal[
    "autoencoder", "image", "depth", "normals", "geometry", "codec", "student"
]
Precision: TypeAlias = Literal["fp32", "bf16", "fp16"]
Optimiser: TypeAlias = Literal["adamw", "adam", "adamw8bit"]
Recompute: TypeAlias = Literal["none", "unet", "all"]
Tracker: TypeAlias = Literal["tensorboard", "wandb"]
Family: TypeAlias = Literal["tiny", "kl"]
Kept: TypeAlias = Literal["best", "last"]
Phase: TypeAlias = tuple[float, int, int, int]
PROCEDURAL = "procedural"


POSITIVE = (
    "steps",
    "accumulate",
    "scenes",
    "validation_scenes",
    "log_every",
    "validate_every",
    "checkpoint_every",
    "keep",
    "patience_s",
    "learning_rate",
    "final_fraction",
    "clip",
)
NOT_NEGATIVE = ("warmup", "weight_decay", "workers", "rank", "skips", "overfit", "pictures")
FRACTIONS = ("beta1", "beta2", "average")
SEEDED = ("seed", "scene_seed")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What every training run has; derived values are computed, never set."""

    recipe: str
    task: Task
    steps: int  # optimiser steps
    stop: int | None = None  # stop after this step; the schedules still run over all `steps`
    # (from this fraction of the steps on, image height, image width, images per micro-batch)
    phases: tuple[Phase, ...]
    accumulate: int = 1  # micro-batches per optimiser step, over all processes
    seed: int = 0  # of the initial weights, the order, the flips and all noise

    data: tuple[str, ...] = ()  # manifests; "procedural", or nothing at all, is the scenes
    weights: tuple[int, ...] = ()  # micro-batches of each in a round, such as 9 and 1; none: 1 each
    validation_data: tuple[str, ...] = ()  # manifests; none: what `data` holds out
    scenes: int = 20_000  # distinct procedural scenes; indices start over after the last
    scene_seed: int = SEEDS["train"]
    validation_scenes: int = 96  # at most so many images are validated on
    cache: str | None = None  # folder that keeps rendered scenes
    latents: str | None = None  # folder that keeps the frozen encoder's latents
    flip: bool = True

    optimiser: Optimiser = "adamw"
    learning_rate: float = 5e-4
    warmup: int = 100
    final_fraction: float = 0.01  # of the learning rate, reached exponentially at the last step
    weight_decay: float = 1e-2
    beta1: float = 0.9
    beta2: float = 0.999
    clip: float = 1.0  # norm of the gradient
    average: float = 0.0  # decay of a moving average of the weights, which is the result; 0: none
    rank: int = 0  # of low-rank adapters, which then alone learn; 0: none
    skips: int = 0  # steps with a loss or gradient that is not finite, before the run stops

    precision: Precision = "bf16"  # of products; the weights that learn stay float32
    frozen_precision: Precision = "fp32"  # of autoencoder and image encoder, where they do not
    recompute: Recompute = "none"  # blocks whose activations are computed twice, not kept
    compile: bool = False
    shard: bool = False  # weights and moments spread over the processes (FSDP2), else copied (DDP)
    device: str = "auto"
    workers: int = 0
    patience_s: float = 600.0  # how long processes wait for each other

    overfit: int = 0  # before the first step, so many on one batch must bring its loss down
    log_every: int = 20
    validate_every: int = 250
    pictures: int = 4  # validation images that are drawn at every validation
    # Which weights are the result: those of the best validation, or the last ones, so that equal
    # budgets are compared and not the luck of a few validations.
    result: Kept = "best"
    checkpoint_every: int = 250
    keep: int = 2  # states of the run that stay on disk
    trackers: tuple[Tracker, ...] = ()  # besides log.jsonl, which is always written

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        self.require_above_zero(*POSITIVE)
        self.require_not_negative(*NOT_NEGATIVE)
        for name in FRACTIONS:
            if not 0 <= getattr(self, name) < 1:
                raise SettingError(f"{name} is {getattr(self, name)}: it must be in [0, 1)")
        for name in SEEDED:
            if not 0 <= getattr(self, name) < 2**63:
                raise SettingError(f"{name} is {getattr(self, name)}: it must be in [0, 2^63)")
        if self.stop is not None and self.stop < 1:
            raise SettingError(f"stop is {self.stop}: it must be at least 1, or none")
        self._check_data()
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

    def refuse(self, *names: str, why: str) -> None:
        """Raise SettingError for the first of these settings that is not at its default."""
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        for name in names:
            if getattr(self, name) != defaults[name]:
                raise SettingError(
                    f"{name} {getattr(self, name)} is of no effect in {self.recipe}: {why}; "
                    "leave it out"
                )

    def check_sizes(self, multiple: int) -> None:
        """Raise SettingError for a phase whose images are no whole number of latent cells."""
        for _, height, width, _ in self.phases:
            if height % multiple or width % multiple:
                raise SettingError(
                    f"phases {self.phases}: {height}x{width} is no multiple of {multiple}, the "
                    "pixels of a latent cell; choose a height and a width that are"
                )

    def _check_data(self) -> None:
        if self.weights and (len(self.weights) != len(self.sources) or min(self.weights) < 1):
            raise SettingError(
                f"weights {list(self.weights)}, data {list(self.data)}: expected one whole number "
                "above 0 for each"
            )
        learned = {Path(name).resolve() for name in self.data if name != PROCEDURAL}
        for name in self.validation_data:
            if name != PROCEDURAL and Path(name).resolve() in learned:
                raise SettingError(
                    f"validation_data {name} is in data, too, so that it would measure what was "
                    "learned; leave validation_data out, and some of each data is held out, or "
                    "name other images"
                )

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
    def sources(self) -> tuple[str, ...]:
        """Where images come from: manifests, or the procedural scenes."""
        return self.data or (PROCEDURAL,)

    @property
    def round(self) -> tuple[int, ...]:
        """Micro-batches of each source in a round."""
        return self.weights or (1,) * len(self.sources)

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
