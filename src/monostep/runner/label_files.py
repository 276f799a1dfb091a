"""The files of one image's label, and the row of the manifest that names them.

labels.jsonl                       the manifest
labels/STEM.depth.png              what the looks agree on, 16 bits (or STEM.normals.png)
labels/STEM.depth.confidence.png   how far they agree, 16 bits
labels/STEM.depth.preview.png      for people
labels/STEM.json                   the record, written last: with it the label is whole
"""

from pathlib import Path

import numpy as np

from monostep import results
from monostep.data.manifest import Declaration, Row
from monostep.errors import OutputError
from monostep.files import maps
from monostep.geometry.agreement import Agreed
from monostep.geometry.depth import Depth
from monostep.geometry.normals import Normals
from monostep.results import MapResult
from monostep.runner import outputs
from monostep.runner.inputs import Job
from monostep.runner.looks import Looker
from monostep.runner.outputs import Picture
from monostep.runner.record import Input, Record


def declaration(looker: Looker, *, name: str) -> Declaration:
    """What all labels of a model share."""
    return Declaration(name=name, unit="relative" if looker.task == "depth" else "m")


def complete(job: Job, looker: Looker) -> Record | None:
    """The record of a label that is there, whole, and made in this way; else None.

    Raises:
        OutputError: another program's file is where the record should be.
    """
    known = outputs.complete(job, looker.plan)
    return known if _confidence(job, looker).is_file() else None


def write(job: Job, picture: Picture, agreed: Agreed, looker: Looker) -> Record:
    """Write a label (OutputError when that cannot be)."""
    path = looker.plan.record(job)
    try:
        path.unlink(missing_ok=True)  # a record never stands beside maps that it does not know
    except OSError as error:
        raise OutputError(f"{path}: cannot be replaced ({error.strerror})") from error
    confidence = agreed.confidence.numpy().astype(np.float32)
    about = {"kind": f"{looker.task} confidence", "model": looker.predictor.card.name}
    maps.write_depth(_confidence(job, looker), confidence, about)
    result = _result(agreed, looker, mean_confidence=float(confidence.mean()))
    return outputs.write(job, picture.input, {looker.task: result}, looker.plan)


def row(job: Job, known: Record, looker: Looker) -> Row:
    """The manifest's row of a label that is whole."""
    values = outputs.listed(job, known, looker.plan)[0]
    return Row(
        image=job.source.absolute(),
        depth=values if looker.task == "depth" else None,
        normals=values if looker.task == "normals" else None,
        confidence=_confidence(job, looker),
        intrinsics_px=_intrinsics(known.input),
    )


def listed(job: Job, known: Record, looker: Looker) -> list[Path]:
    """All files of a label, its record last."""
    *shown, record = outputs.listed(job, known, looker.plan)
    return [*shown, _confidence(job, looker), record]


def mean_confidence(known: Record, looker: Looker) -> float:
    """The mean over the image's pixels."""
    return known.maps[looker.task].about["provenance"]["mean_confidence"]


def _confidence(job: Job, looker: Looker) -> Path:
    return looker.plan.folder(job) / f"{Path(job.stem).name}.{looker.task}.confidence.png"


def _result(agreed: Agreed, looker: Looker, *, mean_confidence: float) -> MapResult:
    model = looker.predictor
    provenance = {
        **results.provenance(
            model.card,
            looker.inference.of_map(looker.task),
            dtype=model.dtype,
            prompt_tokens=model.network.prompt_tokens,
        ),
        "looks": looker.plan.made_by[looker.task]["looks"],
        "mean_confidence": mean_confidence,
    }
    if looker.task == "depth":
        return Depth(tensor=agreed.values, provenance=provenance)
    return Normals(tensor=agreed.values, provenance=provenance)


def _intrinsics(image: Input) -> tuple[float, float, float, float] | None:
    """The camera, if the photograph says its focal length."""
    if image.focal_px is None:
        return None
    return image.focal_px, image.focal_px, image.width / 2, image.height / 2
