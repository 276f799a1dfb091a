"""Puts trained models into the package, in half precision, with the scores they have as embedded.

    python scripts/embed.py runs/nano-depth runs/nano-normals

measures what it wrote (`monostep evaluate procedural` and `motorcycle`), in `runs/scores`.
"""

import dataclasses
import sys
from pathlib import Path

import torch

from monostep import loading
from monostep.checkpoints import embedded, folder
from monostep.evaluation import run
from monostep.evaluation.protocol import Procedural
from monostep.files.atomic import write_json

SCORES = Path("runs/scores")
BENCHMARKS = {"depth": ("procedural", "motorcycle"), "normals": ("procedural",)}
NAMES = {"procedural": "test", "motorcycle": "motorcycle"}


def embed(trained: Path) -> None:
    """Write one model and its card."""
    model, card = folder.load(trained / "model")
    place = embedded.ROOT / card.name
    card = dataclasses.replace(card, grade="self-test", licence="Apache-2.0")
    folder.save(model, card, place, dtype=torch.float16)
    scores = {"validation": card.scores["validation"]}
    for benchmark in BENCHMARKS[card.task]:
        (report,) = run.run(
            benchmark,
            [loading.load(place, dtype="fp32")],
            SCORES / card.name,
            procedural=Procedural(),
        )
        scores[NAMES[benchmark]] = {"images": report["images"], **report["metrics"]}
    written = folder.read_card(place)
    write_json(place / folder.CARD, dataclasses.replace(written, scores=scores).as_dict())


for argument in sys.argv[1:]:
    embed(Path(argument))
