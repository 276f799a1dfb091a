"""What the training benchmark measures, checked before anything expensive begins."""

from collections.abc import Sequence
from dataclasses import dataclass

from monostep.benchmark import plan as predictions
from monostep.benchmark.cases import Case
from monostep.benchmark.plan import Plan, Wishes
from monostep.benchmark.subjects import DIFFUSERS, EXACT, OURS, Subject
from monostep.benchmark.training_program import OTHERS, TrainingAssignment
from monostep.checkpoints.card import MAPS
from monostep.errors import SettingError
from monostep.training.config import Recompute

RECOMPUTE: tuple[Recompute, ...] = ("none", "unet", "all")


@dataclass(frozen=True, kw_only=True)
class TrainingWishes:
    """What the user asked for; `against` None is diffusers, if it can be had."""

    dtypes: tuple[str, ...] = (EXACT,)
    against: tuple[str, ...] | None = None
    recompute: str = "none"
    device: str = "auto"
    threads: int | None = None
    rounds: int = 5
    warm_ups: int = 1  # steps of each process that are not timed


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """Everything that is decided."""

    shared: Plan  # what predicting and learning have in common
    subjects: tuple[Subject, ...]
    wishes: TrainingWishes

    def assignments(self, case: Case) -> dict[str, TrainingAssignment]:
        """Everyone's in a case, by name."""
        return {
            subject.name: TrainingAssignment(
                subject=subject,
                weights=self.shared.weights,
                device=str(self.shared.device),
                threads=self.wishes.threads,
                case=case,
                recompute=self.wishes.recompute,  # pyright: ignore[reportArgumentType] - checked
            )
            for subject in self.subjects
        }


def plan(
    source: str,
    cases: Sequence[Case],
    wishes: TrainingWishes,
    *,
    task: str | None = None,
    frame: str | None = None,
) -> TrainingPlan:
    """The plan for a checkpoint.

    Raises:
        SettingError: a wish that makes no sense, or a model that does not predict depth.
        CheckpointError: no such checkpoint.
        MissingExtraError: diffusers was asked for and is not installed.
    """
    _check(wishes)
    against = wishes.against
    asked = against if not against else (DIFFUSERS,)
    shared = predictions.plan(source, cases, _common(wishes, asked), task=task, frame=frame)
    if shared.task != "depth":
        predicts = " and ".join(MAPS[shared.task])
        raise SettingError(
            f"--training {shared.name}: it predicts {predicts}; the step that is measured "
            "learns depth, so give a depth model"
        )
    others = against if against is not None else (DIFFUSERS,) * shared.with_diffusers
    kinds = (OURS, *others)
    subjects = [Subject(kind=kind, dtype=dtype) for dtype in wishes.dtypes for kind in kinds]
    return TrainingPlan(shared=shared, subjects=tuple(subjects), wishes=wishes)


def _common(wishes: TrainingWishes, against: tuple[str, ...] | None) -> Wishes:
    return Wishes(
        dtypes=wishes.dtypes,
        against=against,
        device=wishes.device,
        threads=wishes.threads,
        rounds=wishes.rounds,
        cold_starts=0,
    )


def _check(wishes: TrainingWishes) -> None:
    for option, names, known in (
        ("against", wishes.against or (), OTHERS),
        ("recompute", (wishes.recompute,), RECOMPUTE),
    ):
        for name in names:
            if name not in known:
                raise SettingError(
                    f"--{option} {name} with --training: choose of {', '.join(known)}"
                )
    if wishes.warm_ups < 0:
        raise SettingError(f"--warm-up {wishes.warm_ups}: expected a whole number from 0 up")
