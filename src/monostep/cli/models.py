"""monostep models: what can be loaded by name."""

import typer


def models() -> None:
    """List the models inside the package, with their task, grade and scores."""
    from monostep.checkpoints import embedded, folder

    for name in embedded.names():
        card = folder.read_card(embedded.ROOT / name)
        test = card.scores.get("test", {})
        scores = ", ".join(f"{key} {value:.4g}" for key, value in test.items() if key != "images")
        typer.echo(f"{name:14} {card.task:8} {card.grade}, {card.licence}; {scores or 'no scores'}")
