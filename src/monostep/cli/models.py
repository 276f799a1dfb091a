"""monostep models: what can be loaded by name."""

import json
from typing import Annotated, Any

import typer


def models(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a model.")] = False,
) -> None:
    """List the models inside the package and the published ones, with licences and scores.

    Published models are downloaded from the Hub by `monostep predict --model NAME` when first used.
    """
    from monostep.checkpoints import embedded, folder, registry

    rows = [_embedded(folder.read_card(embedded.ROOT / name)) for name in embedded.names()]
    rows += [_published(entry) for entry in registry.PUBLISHED]
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row, sort_keys=True))
        return
    name_width = max(len(row["name"]) for row in rows)
    for row in rows:
        said = [row["grade"], row["family"], row["licence"]]
        said += [f"frame {row['frame']}"] if row["frame"] else []
        said += [row["unet"]] if row["unet"] not in (None, "unet") else []
        task = row["task"] or "(none)"
        typer.echo(f"{row['name']:{name_width}}  {task:8}  {row['id']}; {', '.join(said)}")
        for title, scores in row["scores"].items():
            typer.echo(f"{'':{name_width}}  {'':8}  {title}: {_words(scores)}")
        if row["note"]:
            typer.echo(f"{'':{name_width}}  {'':8}  {row['note']}")


def _embedded(card: Any) -> dict[str, Any]:
    return {
        "name": card.name,
        "task": card.task,
        "frame": card.frame,
        "family": card.family,
        "id": "in the package",
        "unet": None,
        "revision": None,
        "grade": card.grade,
        "licence": card.licence,
        "scores": dict(card.scores),
        "note": None,
    }


def _published(entry: Any) -> dict[str, Any]:
    return {
        "name": entry.alias,
        "task": entry.task,
        "frame": entry.frame,
        "family": entry.family,
        "id": entry.id,
        "unet": entry.unet,
        "revision": entry.revision,
        "grade": "published",
        "licence": entry.licence,
        "scores": dict(entry.scores),
        "note": entry.note,
    }


def _words(scores: Any) -> str:
    """Metrics, or metrics by data set, in one line."""
    if all(isinstance(value, dict) for value in scores.values()):
        return "; ".join(f"{name} {_words(each)}" for name, each in scores.items())
    return ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
