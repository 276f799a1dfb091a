"""A folder of predictions that any program wrote, to be judged like a model.

names of images -> files (prediction_names, prediction_files)
file -> numbers (prediction_values), and what they are (prediction_meaning)
"""

import copy
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from monostep.errors import InputError
from monostep.evaluation.predictions import meaning as meanings
from monostep.evaluation.predictions import values as prediction_values
from monostep.evaluation.predictions.files import Assignment, assign
from monostep.evaluation.predictions.meaning import Meaning
from monostep.evaluation.predictions.names import Folders
from monostep.evaluation.predictions.values import Size, ValueRange
from monostep.evaluation.rules import Task
from monostep.geometry import frames
from monostep.geometry.depth import Invariance, Quantity

_SHORTEST = 1e-6  # of a vector that still has a direction
_MOST = 20  # folders that are looked into for a hint


class PredictionFolder:
    """Predictions of one task, by the names of the images; picklable, holds no open file."""

    def __init__(
        self,
        folder: Path,
        *,
        task: Task,
        quantity: str | None = None,
        frame: str | None = None,
        invariance: str | None = None,
        value_range: str = "-1..1",
    ) -> None:
        """Declare what the files do not say themselves; see `among` for which files there are.

        Args:
            folder: where they lie, at any depth; `prediction_names` tells under which names.
            task: depth or normals.
            quantity: of depth. None: as the files say, else depth.
            frame: of normals. None: as the files say.
            invariance: of depth, and how far it is known. None: as the files say, if they do.
            value_range: of the components of normals in float files.

        Raises:
            InputError: no such folder.
            SettingError: an unknown word, or one that means nothing for the task.
        """
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder of predictions; check the path")
        self.folder = folder
        self.task: Task = task
        words = {"quantity": quantity, "invariance": invariance, "frame": frame}
        self._declared = meanings.declared(words, task)
        self.value_range: ValueRange = prediction_values.check_range(value_range, task)
        self._images: Sequence[str] = ()
        self._benchmark: str | None = None

    def among(self, images: Sequence[str], benchmark: str | None = None) -> "PredictionFolder":
        """The same predictions as those of a benchmark's images, whose files are looked up now.

        Only a folder that knows all images knows which shortened names are unambiguous, and what
        its first whole file says of all; without, every image is looked up under its whole name
        alone.

        Raises:
            InputError: not one of the images has a prediction, or the first whole file says what
                contradicts the declaration.
            SettingError: normals of which neither file nor user says the frame.
        """
        known = copy.copy(self)
        known.__dict__.pop("_assignment", None)
        known.__dict__.pop("meaning", None)
        known._images, known._benchmark = tuple(images), benchmark
        if images and not known._assignment.files:
            raise InputError(
                f"{known._assignment.problems[images[0]]}; none of the {len(images)} images has "
                f"one{known._below()}"
            )
        _ = known.meaning
        return known

    @cached_property
    def meaning(self) -> Meaning:
        """What all files are: as declared, else as the first whole one says, else the default."""
        for image in self._images:
            if image in self._assignment.files:
                path = self.find(image)
                try:
                    _, about = self._read(path, None)
                except InputError:  # a problem of this image alone, said when it is read
                    continue
                return self._known(path, about, self._declared)
        return meanings.whole(self._declared, self.task, self.folder)

    @property
    def quantity(self) -> Quantity:
        """What depth maps hold; of no matter to normals."""
        return self.meaning.quantity or "depth"

    @property
    def invariance(self) -> Invariance | None:
        """How far depth is known, where the user or the files say so."""
        return self.meaning.invariance

    def find(self, name: str) -> Path:
        """The file of an image's prediction.

        Raises:
            InputError: there is none, or more than one could be meant.
        """
        known = self._assignment
        if name not in known.files and name not in known.problems:
            known = self._assign((name,), among=())
        if name in known.problems:
            raise InputError(known.problems[name])
        return self.folder / known.files[name]

    def read(
        self, name: str, size: Size
    ) -> Float[Tensor, "height width"] | Float[Tensor, "3 height width"]:
        """Depth in its own quantity, or normals in the OpenCV frame, of an image of this size.

        Raises:
            InputError: none, damaged, of another size, without direction somewhere, or
                of another quantity or frame than the rest.
            MissingExtraError: the format needs an extra package.
        """
        path = self.find(name)
        values, about = self._read(path, size)
        known = self._known(path, about, self.meaning if self._images else self._declared)
        if known.frame is not None:
            return frames.convert(_directed(values, path), source=known.frame, target="opencv")
        if known.invariance == "metric" and path.suffix.lower() == ".png" and not about:
            raise InputError(
                f"{path}: the codes of this PNG have no unit, so they are no metric depth; "
                "write metres as floats, or declare another invariance"
            )
        return values

    def missing(self) -> Mapping[str, str]:
        """Images of the benchmark without a prediction, and why."""
        return self._assignment.problems

    def about(self) -> Mapping[str, Any]:
        """What is judged, as plain values: the folder's name, what its numbers are, its files."""
        files = self._assignment.files.values()
        known = {key: word for key, word in vars(self.meaning).items() if word is not None}
        ranges = {"value_range": self.value_range} if self.task == "normals" else {}
        return {
            "predictions": self.folder.resolve().name,
            **known,
            **ranges,
            "files": dict(sorted(Counter(Path(file).suffix.lower() for file in files).items())),
        }

    def state(self) -> str:
        """A hash that changes when a file is added, exchanged or removed: names, sizes, times."""
        digest = hashlib.sha256()
        for image, file in sorted(self._assignment.files.items()):
            path = self.folder / file
            facts = path.stat() if path.is_file() else None  # None: removed since it was found
            times = None if facts is None else (facts.st_size, facts.st_mtime_ns)
            digest.update(f"{image}\0{file}\0{times}\n".encode())
        return digest.hexdigest()

    @cached_property
    def _assignment(self) -> Assignment:
        return self._assign(self._images, among=self._images)

    def _assign(self, images: Sequence[str], *, among: Sequence[str]) -> Assignment:
        places = Folders(among, self._benchmark)
        return assign(self.folder, images, task=self.task, places=places)

    def _below(self) -> str:
        """A hint for people where folders below are what they mean, as with several models."""
        places = Folders(self._images, self._benchmark)
        folders = (path for depth in ("*/", "*/*/") for path in sorted(self.folder.glob(depth)))
        for path in islice(folders, _MOST):
            if assign(path, self._images, task=self.task, places=places).files:
                return f"; {path} has some: name that folder"
        return ""

    def _read(self, path: Path, size: Size | None) -> tuple[Tensor, Mapping[str, Any]]:
        if self.task == "depth":
            return prediction_values.read_depth(path, size)
        return prediction_values.read_normals(path, size, value_range=self.value_range)

    def _known(self, path: Path, about: Mapping[str, Any], otherwise: Meaning) -> Meaning:
        in_file = meanings.said(path, about, self.task)
        return meanings.whole(meanings.agree(otherwise, in_file, path), self.task, self.folder)


def _directed(
    normals: Float[Tensor, "3 height width"], path: Path
) -> Float[Tensor, "3 height width"]:
    without = int((normals.norm(dim=0) < _SHORTEST).sum())
    if without:
        raise InputError(
            f"{path}: {without} of {normals[0].numel()} normals have no direction; "
            "give every pixel a prediction"
        )
    return normals
