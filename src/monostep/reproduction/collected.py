"""What a study has measured so far, by names such as "depth-{seed}.trailing-1"."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from monostep.errors import InputError
from monostep.files.atomic import read_json
from monostep.reproduction import results
from monostep.reproduction.results import Scores
from monostep.reproduction.study import RESULTS

STRATA = ("all", "indoor", "outdoor", "object")


class Collected:
    """The files of a study's results; each is read once."""

    def __init__(self, folder: Path, seeds: Sequence[int]) -> None:
        """Look into a study's folder, which may be empty."""
        self.folder = folder / RESULTS
        self.seeds = tuple(seeds)
        self._read = cache(results.read)

    def found(self, name: str) -> tuple[int, ...]:
        """Seeds of which the trials are there."""
        return tuple(seed for seed in self.seeds if self._path(name, seed).is_file())

    def scores(self, name: str, seed: int) -> Scores:
        """The table of one seed."""
        return self._read(self._path(name, seed))

    def errors(
        self, name: str, column: str, stratum: str, seeds: Sequence[int]
    ) -> Float[np.ndarray, "seed scene"]:
        """One column of the scenes of a stratum; "all" is all of them."""
        tables = [self.scores(name, seed) for seed in seeds]
        return np.stack([each.columns[column][_of(each, stratum)] for each in tables])

    def check_pairs(self, names: Sequence[str], seeds: Sequence[int]) -> None:
        """Make sure that row by row all these tables are of the same scenes.

        Raises:
            InputError: one is not, so that it cannot be compared scene by scene.
        """
        first = self.scores(names[0], seeds[0])
        for path in (self._path(name, seed) for name in names for seed in seeds):
            table = self._read(path)
            if (table.names, table.strata) != (first.names, first.strata):
                raise InputError(
                    f"{path}: other scenes than in {self._path(names[0], seeds[0]).name}; "
                    "delete the one that is wrong, and it is measured again"
                )

    def strata(self, name: str) -> tuple[str, ...]:
        """Those that have scenes, of the first seed; all first."""
        (seed, *_) = self.found(name)
        there = set(self.scores(name, seed).strata)
        return tuple(each for each in STRATA if each == "all" or each in there)

    def json(self, name: str) -> dict[str, Any]:
        """Another file of results; empty where there is none yet."""
        path = self.folder / name
        return dict(read_json(path)) if path.is_file() else {}

    def _path(self, name: str, seed: int) -> Path:
        return self.folder / f"{name.format(seed=seed)}.csv"


def _of(scores: Scores, stratum: str) -> Bool[np.ndarray, " scene"]:
    return np.array([stratum in ("all", own) for own in scores.strata])
