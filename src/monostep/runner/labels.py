"""Photographs without truth to a manifest: a model's own predictions and how far they agree.

    jobs -> read -> four looks -> agreement -> files -> manifest

A second run keeps what is whole and made in the same way; the manifest, written at the end, lists
the images of this run.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from monostep.data import manifest
from monostep.data.manifest import Row
from monostep.errors import InputError, MissingExtraError, OutputError, SettingError
from monostep.geometry import agreement
from monostep.predictor import Predictor
from monostep.runner import label_files, outputs
from monostep.runner.inputs import Job
from monostep.runner.ledger import Outcome, Summary
from monostep.runner.looks import Looker
from monostep.runner.plan import plan
from monostep.runner.record import Record
from monostep.runner.settings import Settings


@dataclass(frozen=True, kw_only=True)
class LabelSettings:
    """Where labels go, and how the model looks.

    `scale` is the smaller of the two resolutions against the larger; `asked` are keywords of
    `Predictor.inference`; `task` is "depth" or "normals", for a model that predicts both.

    Raises:
        SettingError: a scale that is no smaller one, or a manifest of another ending.
    """

    manifest: Path
    scale: float = 0.75
    asked: Mapping[str, Any] = field(default_factory=dict)
    task: str | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be done."""
        if not 0 < self.scale < 1:
            raise SettingError(f"scale {self.scale}: expected above 0 and below 1, such as 0.75")
        if self.manifest.suffix.lower() not in (".jsonl", ".csv"):
            raise SettingError(f"{self.manifest}: the manifest of labels ends in .jsonl or .csv")

    @property
    def folder(self) -> Path:
        """Where the labels lie: beside the manifest, called like it."""
        return self.manifest.with_suffix("")


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """How the inputs ended, and the mean confidence of what the manifest lists."""

    summary: Summary
    mean_confidence: float | None  # None: there is no manifest, since nothing could be labelled


def label(
    jobs: Sequence[Job],
    predictor: Predictor,
    settings: LabelSettings,
    report: Callable[[Outcome], None],
) -> Labelled:
    """Label every image, report each in turn, and write the manifest of those that have a label.

    Args:
        jobs: the images, each once.
        predictor: of normals, or of depth that is known up to scale and shift, or better; or of
            both, of which the settings name one.
        settings: where labels go, and how the model looks.
        report: called with each outcome.

    Raises:
        SettingError: a model whose depth cannot be a label, or a setting it does not have.
        OutputError: a file cannot be written, or the manifest is one of other data.
        MissingExtraError: an ensemble needs an extra package.
    """
    check(predictor, settings)
    looker = _looker(predictor, settings)
    counts: Counter[str] = Counter()
    rows: list[Row] = []
    confidences: list[float] = []
    for job in jobs:
        outcome, known = _one(job, looker)
        counts[outcome.status] += 1
        if known is not None:
            rows.append(label_files.row(job, known, looker))
            confidences.append(label_files.mean_confidence(known, looker))
        report(outcome)
    if not rows:
        return Labelled(summary=Summary(**counts), mean_confidence=None)
    told = label_files.declaration(looker, name=settings.manifest.stem)
    manifest.write(settings.manifest, told, rows)
    return Labelled(summary=Summary(**counts), mean_confidence=sum(confidences) / len(confidences))


def check(predictor: Predictor, settings: LabelSettings) -> None:
    """Raise what would make labels useless, before any work.

    Raises:
        SettingError: the model does not predict depth or normals as such, or predicts both.
        OutputError: the manifest exists and lists other files than labels.
    """
    card, task = predictor.card, _task(predictor, settings)
    if task == "depth" and card.quantity != "depth":
        raise SettingError(
            f"{card.name} predicts {card.quantity} up to scale and shift, which has no depth: "
            "label with a model of depth, or of normals"
        )
    if settings.overwrite or not settings.manifest.exists():
        return
    try:
        rows = manifest.read(settings.manifest).rows
    except InputError:
        rows = ()
    folder = settings.folder.resolve()
    ours = [path.resolve().is_relative_to(folder) for row in rows if (path := row.confidence)]
    if not ours or len(ours) < len(rows) or not all(ours):
        raise OutputError(
            f"{settings.manifest}: exists and is no manifest of labels; choose another -o, or "
            "--overwrite to lose it"
        )
    if any((row.depth is None) != (task == "normals") for row in rows):
        raise OutputError(
            f"{settings.manifest}: lists labels of another task than {card.name}'s {task}; "
            "choose another -o"
        )


def _task(predictor: Predictor, settings: LabelSettings) -> str:
    """What the labels are of; SettingError where that is open, as a label has one confidence."""
    card = predictor.card
    if settings.task is None and len(card.maps) == 1:
        return card.maps[0]
    if settings.task not in card.maps:
        raise SettingError(
            f"{card.name} predicts {' and '.join(card.maps)}, and labels are of one kind: choose "
            f"the task {' or '.join(card.maps)}"
        )
    return settings.task


def _looker(predictor: Predictor, settings: LabelSettings) -> Looker:
    own = Settings(
        output=settings.folder,
        formats=("png",),
        asked=settings.asked,
        overwrite=settings.overwrite,
    )
    task = _task(predictor, settings)
    planned = plan({task: predictor}, own)
    inference = planned.inferences[task]
    looks = {"mirrored": True, "scale": settings.scale}
    files = replace(
        planned,
        inferences={task: replace(inference, ensemble=1)},  # no map of members' spread
        made_by={task: {**planned.made_by[task], "looks": looks}},
    )
    return Looker(predictor=predictor, inference=inference, plan=files, scale=settings.scale)


def _one(job: Job, looker: Looker) -> tuple[Outcome, Record | None]:
    """What became of an image, and the record of its label if there is one now."""
    try:
        known, milliseconds = label_files.complete(job, looker), None
        if known is None:
            known, milliseconds = _made(job, looker)
    except InputError as error:
        return Outcome(input=str(job.source), status="failed", error=str(error)), None
    outcome = Outcome(
        input=str(job.source),
        status="skipped" if milliseconds is None else "written",
        outputs=tuple(str(path) for path in label_files.listed(job, known, looker)),
        size=(known.input.width, known.input.height),
        milliseconds=milliseconds,
        changes=known.input.changes,
    )
    return outcome, known


def _made(job: Job, looker: Looker) -> tuple[Record, float]:
    """The record of a new label, and the milliseconds that the looks took."""
    try:
        picture = outputs.read(job)
    except MissingExtraError as error:  # the next image may be of another format
        raise InputError(str(error)) from error
    merge = agreement.of_depth if looker.task == "depth" else agreement.of_normals
    began = time.perf_counter()
    agreed = merge(looker.look(picture))
    milliseconds = (time.perf_counter() - began) * 1000
    return label_files.write(job, picture, agreed, looker), milliseconds
