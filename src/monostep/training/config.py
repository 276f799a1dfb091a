"""What a run is: one frozen, complete description; recipes return it, `--set` changes it."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

from monostep.data.splits import SEEDS
from monostep.errors import SettingError
from monostep.losses.depth import Unit

Task: TypeAlias = Literal["autoencoder", "depth", "normals"]
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
    "far_m",
)
NOT_NEGATIVE = ("warmup", "weight_decay", "workers", "sky_weight", "latent_weight", "align_from")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A training run, complete; derived values are computed, never set."""

    recipe: str
    task: Task
    steps: int  # optimiser steps
    stop: int | None = None  # stop after this step; the schedules still run over all `steps`
    # (from this fraction of the steps on, image height, image width, images per micro-batch)
    phases: tuple[Phase, ...]
    accumulate: int = 1  # micro-batches per optimiser step
    seed: int = 0  # of the initial weights and the order of flips
    scenes: int = 20_000  # distinct training scenes; indices start over after the last
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

    autoencoder: str = "nano-depth"  # model whose frozen autoencoder is used
    # model whose UNet the training starts from, or a run, for its last weights; none: random
    start: str | None = None
    family: Family = "tiny"  # of an autoencoder trained from scratch
    latent_weight: float = 1e-3  # keeps the latents of an autoencoder near unit size

    depth_unit: Unit = "metre"
    align_from: float = 0.0  # from this fraction of the steps on the depth loss is affine-invariant
    far_m: float = 80.0  # depths beyond, and the sky, count as this far
    sky_weight: float = 0.1  # of a pixel at `far_m`, against 1 for the others; 0 leaves it out

    precision: Precision = "bf16"
    device: str = "auto"
    workers: int = 0
    cache: str | None = None  # folder that keeps rendered scenes
    log_every: int = 20
    validate_every: int = 250
    checkpoint_every: int = 250

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        for name in POSITIVE:
            if not getattr(self, name) > 0:  # true for nan, too
                raise SettingError(f"{name} is {getattr(self, name)}: it must be above 0")
        for name in NOT_NEGATIVE:
            if not getattr(self, name) >= 0:
                raise SettingError(f"{name} is {getattr(self, name)}: it must be 0 or above")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingError(f"{name} is {getattr(self, name)}: it must be in [0, 1)")
        if self.stop is not None and self.stop < 1:
            raise SettingError(f"stop is {self.stop}: it must be at least 1, or none")
        self._check_phases()

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


def override(config: TrainConfig, settings: Sequence[str]) -> TrainConfig:
    """The config with `key=value` settings applied, each value read as its field's type."""
    hints = get_type_hints(TrainConfig)
    changes: dict[str, Any] = {}
    for setting in settings:
        key, separator, text = setting.partition("=")
        if not separator:
            raise SettingError(f"--set {setting}: expected key=value")
        if key not in hints or key in ("recipe", "task"):
            names = ", ".join(sorted(set(hints) - {"recipe", "task"}))
            raise SettingError(f"--set {setting}: no setting {key!r}; there are: {names}")
        changes[key] = _parse(key, text, hints[key])
    return dataclasses.replace(config, **changes)


def _parse(key: str, text: str, kind: Any) -> Any:
    if get_origin(kind) is Literal:
        if text not in get_args(kind):
            raise SettingError(f"--set {key}={text}: choose one of {', '.join(get_args(kind))}")
        return text
    if text == "none" and kind in (str | None, int | None):
        return None
    if kind in (str, str | None):
        return text
    try:
        return _plain(json.loads(text), int if kind == (int | None) else kind)
    except (ValueError, TypeError) as error:
        expected = getattr(kind, "__name__", str(kind)) if kind in (int, float, bool) else "phases"
        raise SettingError(f"--set {key}={text}: expected {expected} ({error})") from error


def _plain(value: Any, kind: Any) -> Any:
    if kind not in (int, float, bool):
        return tuple((float(start), int(h), int(w), int(batch)) for start, h, w, batch in value)
    accepted = (int, float) if kind is float else (kind,)
    if type(value) not in accepted:
        raise TypeError(f"got {type(value).__name__}")
    return kind(value)
