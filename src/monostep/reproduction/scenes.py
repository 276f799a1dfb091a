"""The held-out scenes of a study: rendered once, then kept in a file for its other processes."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from monostep.evaluation.case import Case
from monostep.evaluation.rules import Rules, Task
from monostep.evaluation.sets.procedural import Procedural
from monostep.files.atomic import write_bytes
from monostep.reproduction.budget import Budget

ABOUT = "about"  # entry of the file that says which scenes it holds
MAPS = ("image", "depth_m", "depth_valid", "normals", "normals_valid")
WORDS = tuple(each.name for each in fields(Case) if each.name not in MAPS)


@dataclass(frozen=True, kw_only=True, eq=False)
class Scenes:
    """Images with their truth, and the rules of the benchmark that they belong to."""

    cases: tuple[Case, ...]
    rules: Mapping[Task, Rules]

    def first(self, count: int) -> "Scenes":
        """Only so many of them."""
        return replace(self, cases=self.cases[:count])


def held_out(budget: Budget, file: Path | None = None) -> Scenes:
    """The scenes that a study is measured on: those of `monostep evaluate procedural`.

    Args:
        budget: says how many there are, and their size.
        file: where they are kept (.npz); it is written again where it holds others, or is broken.

    Raises:
        OutputError: the file cannot be written.
    """
    benchmark = Procedural(images=budget.images, height=budget.height, width=budget.width)
    about = json.dumps(dict(benchmark.about()), sort_keys=True)
    cases = None if file is None else _read(file, about)
    if cases is None:
        cases = tuple(benchmark.load(index) for index in range(budget.images))
        if file is not None:
            _write(file, cases, about)
    return Scenes(cases=cases, rules=benchmark.rules)


def _write(file: Path, cases: tuple[Case, ...], about: str) -> None:
    maps = {name: np.stack([getattr(case, name).numpy() for case in cases]) for name in MAPS}
    words = {name: np.array([getattr(case, name) for case in cases]) for name in WORDS}
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **maps, **words, **{ABOUT: np.array(about)})
    file.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(file, packed.getvalue())


def _read(file: Path, about: str) -> tuple[Case, ...] | None:
    """The scenes of a file; None where it holds no such, and they must be rendered."""
    if not file.is_file():
        return None
    try:
        with np.load(io.BytesIO(file.read_bytes())) as stored:
            columns = {name: stored[name] for name in (ABOUT, *MAPS, *WORDS)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    if str(columns.pop(ABOUT)) != about:
        return None
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    return tuple(
        Case(**{name: _value(value) for name, value in row.items()})  # pyright: ignore[reportArgumentType]
        for row in rows
    )


def _value(value: np.ndarray | np.str_) -> Tensor | str:
    return torch.from_numpy(value) if isinstance(value, np.ndarray) else str(value)
