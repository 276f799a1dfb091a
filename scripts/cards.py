"""Writes docs/models/ from the embedded models' cards and their reports in `runs/scores`.

python scripts/cards.py

One page a model, with a picture of the scenes on which it is worst, as `scripts/embed.py` left it.
"""

import csv
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
FEW = 12  # images that are listed one by one
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


def each(path: Path, metric: str) -> list[str]:
    """Every image's error beside the baselines', where there are only a few."""
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if not row["problem"]]
    if not 1 < len(rows) <= FEW:
        return []
    baselines = [name for name in rows[0] if name.endswith(f".{metric}")]
    columns = [metric, *baselines]
    heads = ["the model", *(name.partition(".")[0] for name in baselines)]
    lines = [
        f"\n| {METRICS[metric]} of | " + " | ".join(heads) + " |",
        "|---|" + "---:|" * len(heads),
    ]
    for row in rows:
        cells = " | ".join(f"{float(row[column]):.3f}" for column in columns)
        lines.append(f"| {Path(row['image']).stem} | {cells} |")
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
        lines += each(path.with_suffix(".csv"), first)
        ratio = report["ratio_to_best_baseline"][first]
        said = f"\n{METRICS[first]} over the best baseline's: **{ratio:.3f}**"
        spread = f"; 95 % interval of {METRICS[first]}: {low:.3f} to {high:.3f}"
        lines.append(said + (f"{spread}." if report["images"] > 1 else "."))
    lines += speed(name) + failures(name)
    recipe = "\n".join(f"    {key} = {value}" for key, value in card.recipe.items())
    return [*lines, f"\n## Recipe of its last training\n\n{recipe}"]


def speed(name: str) -> list[str]:
    """Milliseconds an image, from `monostep benchmark -o runs/scores/NAME.speed.json`."""
    path = SCORES / f"{name}.speed.json"
    if not path.exists():
        return []
    report = read_json(path)
    (case,) = report["cases"]
    lines = ["| program | ms an image |", "|---|---:|"]
    for program, measured in case["subjects"].items():
        lines.append(f"| {program} | {measured['milliseconds']['whole']['median']:.0f} |")
    machine = report["machine"]
    height, width = case["image_size"]
    said = (
        f"{height}x{width}, {machine['threads']} threads, {machine['cpu']}; `{report['command']}`"
    )
    return [f"\n## Speed\n\n{said}\n", *lines]


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
