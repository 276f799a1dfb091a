"""What is measured, put together and checked before anything expensive begins."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32

from monostep.benchmark import diffusers_program, rivals
from monostep.benchmark import pairs as comparisons
from monostep.benchmark.cases import Baseline, Case
from monostep.benchmark.pairs import Pair
from monostep.benchmark.program import Weights, settings
from monostep.benchmark.subjects import DIFFUSERS, EXACT, OURS, Subject, line_up
from monostep.benchmark.worker import Assignment, Loaded
from monostep.checkpoints import opening, prompt
from monostep.checkpoints.opening import Checkpoint
from monostep.device import choose_device
from monostep.errors import MonostepError, SettingError
from monostep.inspection import diffusers_pipeline

_BYTES_PER_PIXEL = 4096  # what Stable Diffusion's decoder takes at its widest, in float32, roughly


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the user asked for; `against` None is diffusers, if it can be had."""

    dtypes: tuple[str, ...] = ("fp32",)
    against: tuple[str, ...] | None = None
    compiled: bool = False
    device: str = "auto"
    threads: int | None = None
    rounds: int = 5
    cold_starts: int = 3
    baselines: tuple[Baseline, ...] = ()
    measure_baselines: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that is decided; `notes` say what was left out and why."""

    weights: Weights
    name: str
    task: str
    subjects: tuple[Subject, ...]
    cases: tuple[Case, ...]
    steps: int  # of the cases, those of the card where none were asked
    device: torch.device
    wishes: Wishes
    notes: tuple[str, ...] = ()
    weights_sha256: str | None = None  # over tensors, as the card has it

    @property
    def with_diffusers(self) -> bool:
        """Whether diffusers takes part."""
        return any(subject.kind == DIFFUSERS for subject in self.subjects)

    @property
    def default(self) -> str:
        """Ours as it comes, until a precision was chosen for it."""
        return Subject(kind=OURS, dtype=EXACT).name

    @property
    def reference(self) -> str:
        """The subject from whose maps those of the others are told to differ."""
        return self.default

    def assignment(self, subject: Subject) -> Assignment:
        """What a subject's process is started with."""
        return Assignment(
            subject=subject,
            weights=self.weights,
            device=str(self.device),
            threads=self.wishes.threads,
        )

    def pairs(self, there: Mapping[str, Subject], default: str) -> list[Pair]:
        """Which subjects, by name, are compared with which."""
        return comparisons.pairs(there, default)

    def needs(self, subject: Subject, loaded: Iterable[Loaded]) -> int:  # noqa: ARG002 - not known
        """Bytes to load one more, like the largest so far, and to predict the largest case."""
        largest = max((one.peak_bytes or 0 for one in loaded), default=0)
        return largest and largest + self.maps_bytes

    @property
    def maps_bytes(self) -> int:
        """What the largest case takes, beside weights."""
        return _BYTES_PER_PIXEL * max(case.pixels for case in self.cases)


def plan(
    source: str,
    cases: Sequence[Case],
    wishes: Wishes,
    *,
    task: str | None = None,
    frame: str | None = None,
) -> Plan:
    """The plan for a checkpoint.

    Raises:
        SettingError: a wish that makes no sense or that this model cannot fulfil.
        CheckpointError: no such checkpoint.
        MissingExtraError: a package that was asked for is not installed.
    """
    check(wishes)
    device = choose_device(wishes.device)
    checkpoint = opening.find(source, task=task, frame=frame)
    against, notes = _opponents(checkpoint, wishes.against)
    subjects = line_up(wishes.dtypes, against, compiled=wishes.compiled)
    return Plan(
        weights=Weights(
            source=source,
            task=task,
            frame=frame,
            prompt=_prompt(checkpoint) if DIFFUSERS in against else np.zeros((0, 0), np.float32),
        ),
        name=checkpoint.card.name,
        weights_sha256=checkpoint.card.tensor_hash,
        task=checkpoint.card.task,
        subjects=tuple(subjects),
        cases=tuple(cases),
        steps=settings(checkpoint.card, cases[0]).steps,
        device=device,
        wishes=wishes,
        notes=tuple(notes),
    )


def _prompt(checkpoint: Checkpoint) -> Float32[np.ndarray, "token width"]:
    """Made here, since it may take a text encoder, for which no subject's memory shall pay."""
    encoder = prompt.Encoder(
        folder=checkpoint.folder,
        names=checkpoint.names,
        variant=checkpoint.variant,
        fetch=checkpoint.fetch,
    )
    return prompt.load(encoder).numpy()


def _opponents(
    checkpoint: Checkpoint, asked: tuple[str, ...] | None
) -> tuple[tuple[str, ...], list[str]]:
    """Those asked for, each checked; diffusers if none were, and why not if it cannot."""
    for name in asked or ():
        if name in rivals.ARCHITECTURES:
            rivals.check(name)
    if asked is not None and DIFFUSERS not in asked:
        return asked, []
    try:
        diffusers_pipeline.check(checkpoint)
        diffusers_program.check(checkpoint.card)
    except MonostepError as error:
        if asked is not None:
            raise
        return (), [f"without diffusers: {error}"]
    return asked or (DIFFUSERS,), []


def check(wishes: Wishes) -> None:
    """Raise SettingError for a wish that makes no sense."""
    for name, value, least in (
        ("repeat", wishes.rounds, 1),
        ("cold-start", wishes.cold_starts, 0),
        ("threads", wishes.threads, 1),
    ):
        if value is not None and value < least:
            raise SettingError(f"--{name} {value}: expected a whole number from {least} up")
    if not wishes.dtypes:
        raise SettingError("--dtype: names no precision; give one or more, such as fp32,bf16")
    if wishes.measure_baselines and not wishes.baselines:
        raise SettingError("--measure-baseline: which? Give --baseline STEPSxMEMBERS")
