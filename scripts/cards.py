"""Writes docs/models/ from the embedded models' cards and their reports in `runs/scores`.

python scripts/cards.py

One page a model, with a picture of the scenes on which it is worst, as `scripts/embed.py` left it.
"""

from pathlib import Path
from typing import Any

from PIL import Image

from monostep.checkpoints import embedded, folder
from monostep.files.atomic import read_json

SCORES = Path("runs/scores")
TARGET = Path("docs/models")
HEAD = """# {name}

**A self-test model**: it shows that training, files, network and command line work together, on
any machine and without a download. It is no match for a published model and not meant for use.
Licence: Apache-2.0, as the code. Written by `python scripts/cards.py` from the model's own card and
reports.
"""
METRICS = {
    "abs_rel": "AbsRel",
    "delta1": "delta1",
    "mean_angle_deg": "mean angle, degrees",
    "within_11.25_deg": "within_11.25_deg",
    "within_22.5_deg": "within_22.5_deg",
    "within_30_deg": "within_30_deg",
}
WIDTH = 1000  # of the picture of failures, in pixels


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


def page(name: str) -> list[str]:
    """One model: what it is, its tables, its failures and how it was trained."""
    card = folder.read_card(embedded.ROOT / name)
    lines = [HEAD.format(name=name)]
    lines.append(f"Task: {card.task}. Looks at a picture at {card.resolution} pixels.")
    lines.append(f"Weights (SHA-256 over tensors): `{card.tensor_hash}`.")
    for path in sorted((SCORES / name).glob("*.json")):
        report = read_json(path)
        first = next(name for name in METRICS if name in report["metrics"])
        low, high = report["confidence"][first]
        lines.append(f"\n## {report['benchmark']}\n\nProtocol {report['protocol']}.\n")
        lines += table(report)
        ratio = report["ratio_to_best_baseline"][first]
        said = f"\n{METRICS[first]} over the best baseline's: **{ratio:.3f}**"
        spread = f"; 95 % interval of {METRICS[first]}: {low:.3f} to {high:.3f}"
        lines.append(said + (f"{spread}." if report["images"] > 1 else "."))
    lines += failures(name)
    recipe = "\n".join(f"    {key} = {value}" for key, value in card.recipe.items())
    return [*lines, f"\n## Recipe of its last training\n\n{recipe}"]


def failures(name: str) -> list[str]:
    """The sheet of the worst, the median and the best scenes, made small."""
    found = sorted((SCORES / name).glob("procedural.*sheet.jpg"))
    if not found:
        return []
    target = TARGET / f"{name}.jpg"
    with Image.open(found[0]) as sheet:
        height = round(sheet.height * WIDTH / sheet.width)
        sheet.resize((WIDTH, height), Image.Resampling.LANCZOS).save(target, quality=80)
    text = "The held-out scenes on which it is worst, those in the middle, and its best ones."
    return [f"\n## Failures\n\n{text}\n\n![scenes, predictions and truth]({target.name})"]


TARGET.mkdir(parents=True, exist_ok=True)
for name in embedded.names():
    (TARGET / f"{name}.md").write_text("\n".join(page(name)) + "\n")
