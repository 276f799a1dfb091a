"""Writes docs/models/ from the embedded models' cards and their reports in `runs/scores`.

python -m scripts.cards

One page a model, with a picture of the scenes on which it is worst. README, "What the embedded
models can and cannot do", has the commands that write the reports; those of other weights are
refused.
"""

import sys
from pathlib import Path
from typing import Any

from PIL import Image
from scripts import frame_table

from monostep.checkpoints import embedded, folder
from monostep.checkpoints.card import Card
from monostep.files.atomic import read_json

SCORES = Path("runs/scores")
TARGET = Path("docs/models")
HEAD = """# {name}

**A self-test model**: it shows that training, files, network and command line work together, on
any machine and without a download. It is no match for a published model and not meant for use.
Licence: Apache-2.0, as the code. Written by `python -m scripts.cards` from the model's own card and
reports.
"""
NOTES = {
    "miniature-depth": "It is `depth-0` of the [study](../miniature.md), whose held-out scenes "
    "have 64x80 pixels: there it has 0.399, in float32, and the baselines have other numbers, too. "
    "Below they have 96x128, as for the other models.",
}
METRICS = {
    "abs_rel": "AbsRel",
    "delta1": "delta1",
    "mean_angle_deg": "mean angle, degrees",
    "within_11.25_deg": "within_11.25_deg",
    "within_22.5_deg": "within_22.5_deg",
    "within_30_deg": "within_30_deg",
}
GOAL = 0.63  # of the geometric mean on real frames of depth
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


def frames(path: Path, others: list[Path]) -> list[str]:
    """Every real frame, beside what other programs have there."""
    lines, ratios = frame_table.table([each.with_suffix(".csv") for each in (path, *others)])
    lines = ["", *lines]
    if read_json(path)["task"] == "depth":
        (ratio, *_) = ratios.values()
        said = "reached" if ratio <= GOAL else "**missed**"
        lines.append(f"\nThe goal was a geometric mean of at most {GOAL}: {said}.")
    return lines


def fresh(path: Path, card: Card) -> dict[str, Any]:
    """A report of these weights; the program ends where it is of others."""
    report = read_json(path)
    if report["weights_sha256"] != card.tensor_hash:
        sys.exit(f"{path}: of other weights than the embedded {card.name}; measure again")
    return report


def benchmark(path: Path, card: Card, others: list[Path]) -> list[str]:
    """One report: all images in the mean, and each of them where they are real frames."""
    report = fresh(path, card)
    first = next(name for name in METRICS if name in report["metrics"])
    low, high = report["confidence"][first]
    lines = [f"\n## {report['benchmark']}\n\nProtocol {report['protocol']}.\n", *table(report)]
    lines += frames(path, others) if report["benchmark"].startswith("real") else []
    ratio = report["ratio_to_best_baseline"][first]
    said = f"\n{METRICS[first]} over the best baseline's: **{ratio:.3f}**"
    spread = f"; 95 % interval of {METRICS[first]}: {low:.3f} to {high:.3f}"
    return [*lines, said + (f"{spread}." if report["images"] > 1 else ".")]


def page(name: str) -> list[str]:
    """One model: what it is, its tables, its failures and how it was trained."""
    card = folder.read_card(embedded.ROOT / name)
    lines = [HEAD.format(name=name)]
    lines.append(f"Task: {card.task}. Looks at a picture at {card.resolution} pixels.")
    lines.append(f"Weights (SHA-256 over tensors): `{card.tensor_hash}`.")
    lines += [f"\n{NOTES[name]}"] if name in NOTES else []
    reports = sorted((SCORES / name).glob("*.json"))
    if not reports:
        sys.exit(f"{SCORES / name}: no reports; README has the commands that write them")
    others = [path for path in reports if "predictions" in read_json(path)]
    for path in reports:
        lines += benchmark(path, card, others) if path not in others else []
    lines += speed(card) + failures(name)
    recipe = "\n".join(f"    {key} = {value}" for key, value in card.recipe.items())
    return [*lines, f"\n## Recipe of its last training\n\n{recipe}"]


def speed(card: Card) -> list[str]:
    """Milliseconds an image, from `monostep benchmark -o runs/scores/NAME.speed.json`."""
    path = SCORES / f"{card.name}.speed.json"
    if not path.exists():
        return []
    report = fresh(path, card)
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


if __name__ == "__main__":
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in embedded.names():
        (TARGET / f"{name}.md").write_text("\n".join(page(name)) + "\n")
