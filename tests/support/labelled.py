"""Labelling as tests call it: photographs below the current folder, labels in labels.jsonl."""

from pathlib import Path

from monostep.runner import inputs, labels
from monostep.runner.labels import Labelled, LabelSettings
from monostep.runner.ledger import Outcome


def go(model, *named: str, **settings) -> tuple[list[Outcome], Labelled]:
    chosen = LabelSettings(manifest=settings.pop("manifest", Path("labels.jsonl")), **settings)
    found = inputs.find(named or ["photos"], output=chosen.folder)
    outcomes: list[Outcome] = []
    return outcomes, labels.label(found.jobs, model, chosen, outcomes.append)


def statuses(model, *named: str, **settings) -> list[str]:
    return [outcome.status for outcome in go(model, *named, **settings)[0]]
