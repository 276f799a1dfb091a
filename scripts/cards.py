"""Writes docs/models.md from the embedded models' cards and their reports in `runs/scores`.

python scripts/cards.py
"""

from pathlib import Path
from typing import Any

from monostep.checkpoints import embedded, folder
from monostep.files.atomic import read_json

SCORES = Path("runs/scores")
TARGET = Path("docs/models.md")
HEAD = """# The embedded models

They are self-tests. They show that training, files, network and command line work together, on
any machine and without a download; they are no match for a published model and are not meant for
use. Licence: Apache-2.0, as the code.

Written by `python scripts/cards.py` from the models' own cards and reports.
"""
METRICS = {
    "abs_rel": "AbsRel",
    "delta1": "delta1",
    "mean_angle_deg": "mean angle, degrees",
    "within_11.25_deg": "within_11.25_deg",
    "within_22.5_deg": "within_22.5_deg",
    "within_30_deg": "within_30_deg",
}


def table(report: dict[str, Any]) -> list[str]:
    """Model and baselines, overall and by stratum, as a Markdown table."""
    metrics = [name for name in METRICS if name in report["metrics"]]
    heads = [METRICS[name] for name in metrics]
    lines = ["| images | method | " + " | ".join(heads) + " |", "|---|---|" + "---|" * len(heads)]
    groups = {"all": report, **(report["strata"] if len(report["strata"]) > 1 else {})}
    for name, group in groups.items():
        methods = {f"**{report['model']}**": group["metrics"], **group["baselines"]}
        for method, means in methods.items():
            cells = " | ".join(f"{means[metric]:.3f}" for metric in metrics)
            lines.append(f"| {name} ({group['images']}) | {method} | {cells} |")
    return lines


def section(name: str) -> list[str]:
    """One model: what it is, and its tables."""
    card = folder.read_card(embedded.ROOT / name)
    lines = [
        f"\n## {name}\n",
        f"Task: {card.task}. Looks at a picture at {card.resolution} pixels.",
    ]
    lines.append(f"Weights (SHA-256 over tensors): `{card.tensor_hash}`.\n")
    for path in sorted((SCORES / name).glob("*.json")):
        report = read_json(path)
        first = next(name for name in METRICS if name in report["metrics"])
        low, high = report["confidence"][first]
        lines.append(f"`{report['benchmark']}`, protocol {report['protocol']}:\n")
        lines += table(report)
        ratio = report["ratio_to_best_baseline"][first]
        said = f"\n{METRICS[first]} over the best baseline's: **{ratio:.3f}**"
        spread = f"; 95 % interval of {METRICS[first]}: {low:.3f} to {high:.3f}"
        lines.append(said + (f"{spread}.\n" if report["images"] > 1 else ".\n"))
    recipe = ", ".join(f"{key} {value}" for key, value in card.recipe.items())
    lines.append(f"Recipe: {recipe}.")
    return lines


sections = [line for name in embedded.names() for line in section(name)]
TARGET.write_text("\n".join([HEAD, *sections]) + "\n")
