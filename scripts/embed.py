"""Puts trained models into the package, in half precision, with the scores they have as embedded.

    python -m scripts.embed runs/last-depth runs/rooms-normals

measures what it wrote (`monostep evaluate procedural` and `motorcycle`), in `runs/scores`.
"""

import dataclasses
import sys
from pathlib import Path

import torch

from monostep import loading
from monostep.checkpoints import embedded, folder
from monostep.evaluation import run
from monostep.evaluation.choose import Asked, choose
from monostep.evaluation.entrants import Entrants
from monostep.files.atomic import write_json

SCORES = Path("runs/scores")
BENCHMARKS = {"depth": ("procedural", "motorcycle"), "normals": ("procedural",)}
SHEETS = 3  # scenes of each kind: worst, median, best
NAMES = {"procedural": "test", "motorcycle": "motorcycle"}
METRICS = {  # that a card tells
    "depth": ("abs_rel", "delta1"),
    "normals": ("mean_angle_deg", "within_11.25_deg", "within_22.5_deg", "within_30_deg"),
}


def embed(trained: Path) -> None:
    """Write one model and its card."""
    model, card = folder.load(trained / "model")
    place = embedded.ROOT / card.name
    card = dataclasses.replace(card, grade="self-test", licence="Apache-2.0")
    folder.save(model, card, place, dtype=torch.float16)
    scores = {"validation": card.scores["validation"]}
    entrants = Entrants(models=[loading.load(place, dtype="fp32")])
    for name in BENCHMARKS[card.task]:
        sheets = SHEETS if name == "procedural" else 0
        how = run.How(output=SCORES / card.name, overwrite=True, sheets=sheets)
        (report,) = run.run(choose(name, Asked()), entrants, how)
        told = {metric: report["metrics"][metric] for metric in METRICS[card.task]}
        scores[NAMES[name]] = {"images": report["images"], **told}
    written = folder.read_card(place)
    write_json(place / folder.CARD, dataclasses.replace(written, scores=scores).as_dict())


for argument in sys.argv[1:]:
    embed(Path(argument))
