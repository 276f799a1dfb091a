"""The tables of the paper, each as one run: our numbers beside the printed ones."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from monostep.checkpoints.card import Attention
from monostep.checkpoints.opening import Checkpoint
from monostep.errors import InputError, MonostepError, SettingError
from monostep.evaluation import choose, run
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.choose import Asked
from monostep.evaluation.enter import Declared
from monostep.evaluation.entrants import Entrants
from monostep.evaluation.papers import entrants as paper_entrants
from monostep.evaluation.papers import page as paper_page
from monostep.evaluation.papers import published
from monostep.evaluation.papers import weights as paper_weights
from monostep.evaluation.papers.cells import before, planned, scored, unscored
from monostep.evaluation.papers.published_row import PROTOCOLS, Row
from monostep.evaluation.run import How, Screen
from monostep.files.atomic import write_bytes, write_json
from monostep.runner.models import Loading

PREFIX = "paper-table-"
GUIDE = "docs/reproduce.md"
NAMES = tuple(f"{PREFIX}{number}" for number in published.TABLES)


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """What a run of a table may be told."""

    how: How
    asked: Asked = field(default_factory=Asked)  # where the data are; only the first images
    loading: Loading = field(default_factory=lambda: Loading(dtype="fp32"))
    weights: Path | None = None  # folder with checkpoints that are not in the Hub's cache
    download: bool = False  # whether the Hub may be asked for what is not on this machine
    predictions: Mapping[str, Path] = field(default_factory=dict)  # other programs', by row
    declared: Declared = field(default_factory=Declared)  # what these are
    seed: int | None = None
    batch_size: int = 0


def number_of(name: str) -> str | None:
    """The table that a command names, such as `paper-table-1`; None for no table.

    Raises:
        SettingError: a table that has no command.
    """
    if not name.startswith(PREFIX):
        return None
    if name not in NAMES:
        raise SettingError(f"{name}: choose {', '.join(NAMES)}")
    return name.removeprefix(PREFIX)


def rows(number: str) -> list[dict[str, Any]]:
    """The rows of a table as plain values, nothing of it run."""
    return [planned(key, row) for key, row in published.table(number).rows.items()]


def reproduce(number: str, told: Reproduction, screen: Screen | None = None) -> dict[str, Any]:
    """Run the rows whose data and weights are there; write the table as .json and .md.

    What is not there is listed under `missing`, one line each, with how to get it; what was tried
    and went wrong, under `failed`. Nothing is downloaded unless it is allowed. A cell that is not
    scored now, but was before into the same folder, has what was scored then.

    Raises:
        SettingError: as `check`; or a declaration that means nothing for a row's predictions.
        InputError: as `check`.
    """
    table = published.table(number)
    check([number], told)
    stored = {
        key: paper_entrants.of_predictions(key, table.rows[key], folder, told.declared)
        for key, folder in told.predictions.items()
    }
    session = _Session(told, _open(table, told), stored, screen or Screen())
    values = {
        "table": number,
        "title": table.title,
        "paper": published.PAPER,
        "rows": [session.row(key, row) for key, row in table.rows.items()],
        "missing": session.missing,
        "failed": session.failed,
    }
    stem = told.how.output / f"{PREFIX}{number}"
    write_json(stem.with_suffix(".json"), values)
    write_bytes(stem.with_suffix(".md"), paper_page.document(values).encode())
    return values


def check(numbers: Sequence[str], told: Reproduction) -> None:
    """Refuse what cannot be meant, before any of the tables takes its hours.

    Raises:
        SettingError: no such table, what the rows settle themselves, or predictions of a row that
            none of the tables has.
        InputError: a folder of predictions or weights that is not there.
    """
    known = {key: row for number in numbers for key, row in published.table(number).rows.items()}
    _check_settled(told)
    run_here = [row for key, row in known.items() if key not in told.predictions]
    _check_attention(told.loading.attention, numbers, run_here)
    for key, folder in told.predictions.items():
        if key not in known:
            named = f"table {numbers[0]} has" if len(numbers) == 1 else "the tables named have"
            raise SettingError(
                f"predictions {key}: {named} no such row; their rows are {', '.join(known)}"
            )
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder of predictions of {key}; check the path")
    if told.weights is not None and not told.weights.is_dir():
        raise InputError(f"{told.weights}: no such folder of weights; check the path")


def _check_settled(told: Reproduction) -> None:
    asked, how, loading = told.asked, told.how, told.loading
    settled = {
        "task": loading.task,
        "network-frame": loading.frame,
        "revision": loading.revision,
        "unet": loading.unet,
        "align": how.alignment,
        "protocol": asked.protocol,
        "list": asked.list,
        "split": asked.split,
        "height": asked.height,
        "width": asked.width,
        "baseline-scenes": asked.baseline_scenes,
    }
    for option, value in settled.items():
        if value is not None:
            raise SettingError(
                f"--{option}: the rows of the paper's tables settle it; leave it out"
            )
    if told.download and loading.offline:
        raise SettingError("--download and --offline contradict each other; give one of them")


def _check_attention(asked: str | None, numbers: Sequence[str], rows: Iterable[Row]) -> None:
    if asked is None:
        return
    if asked not in get_args(Attention):
        raise SettingError(f"attention {asked!r}: choose {' or '.join(get_args(Attention))}")
    if all(row.run is None or row.run.attention is None for row in rows):
        raise SettingError(
            f"--attention: no row of table {', '.join(numbers)} is run with a model of depth and "
            "normals; leave it out"
        )


def _open(table: published.Table, told: Reproduction) -> dict[str, Benchmark | str]:
    """Each of the table's benchmarks, or why it is not there."""
    protocols = {name: PROTOCOLS[row.task] for row in table.rows.values() for name in row.cells}
    found: dict[str, Benchmark | str] = {}
    for name, protocol in protocols.items():
        try:
            found[name] = choose.choose(name, replace(told.asked, protocol=protocol))
        except MonostepError as error:
            found[name] = str(error)
    return found


class _Session:
    """Runs rows one after the other and gathers what is missing."""

    def __init__(
        self,
        told: Reproduction,
        benchmarks: Mapping[str, Benchmark | str],
        stored: Mapping[str, Entrants],
        screen: Screen,
    ) -> None:
        self.failed: list[str] = []
        self.missing = [
            _without_data(name, found)
            for name, found in benchmarks.items()
            if isinstance(found, str)
        ]
        self._told, self._stored, self._screen = told, stored, screen
        self._ready = {
            name: found for name, found in benchmarks.items() if not isinstance(found, str)
        }

    def row(self, key: str, row: Row) -> dict[str, Any]:
        """One row with ours beside the paper's, as far as it can be run."""
        if key not in self._stored:
            row = _attended(row, self._told.loading)
        values = planned(key, row)
        listed = len(self.missing)
        entrants = self._enter(key, row)
        for name, cell in values["benchmarks"].items():
            if isinstance(entrants, str):
                cell |= self._before(key, row, name) or unscored(entrants)
            elif name not in self._ready:
                cell |= self._before(key, row, name) or unscored("no data")
            else:
                cell |= self._score(key, row, name, entrants)
        if all(cell["ours"] is not None for cell in values["benchmarks"].values()):
            del self.missing[listed:]  # nothing is: all was scored before
        return values

    def _before(self, key: str, row: Row, name: str) -> dict[str, Any] | None:
        """What an earlier run into the same folder has scored, if any."""
        return before(row, name, self._told.how.output / _report_of(_label(key, row), name))

    def _enter(self, key: str, row: Row) -> Entrants | str:
        """Who stands for the row; or why nobody does, noted with how to change that."""
        told = self._told
        try:
            if key in self._stored:
                return self._stored[key]
            found = self._checkpoint(key, row)
            if found is None:
                self.missing.append(paper_entrants.why_absent(key, row))
                return row.how
            if not self._ready.keys() & row.cells.keys():
                return "no data"
            return paper_entrants.of_checkpoint(found, row, told.loading, **self._settings())
        except MonostepError as error:
            can = row.run is not None and row.run.checkpoint and not told.download
            self.missing.append(
                f"no weights of {key}: {error}{'; or let --download fetch it' if can else ''}"
            )
            return "no weights"

    def _checkpoint(self, key: str, row: Row) -> Checkpoint | None:
        told = self._told
        if row.run is None or (row.run.checkpoint is None and told.weights is None):
            return None
        return paper_weights.find(
            key, row, told.loading, weights=told.weights, download=told.download
        )

    def _settings(self) -> dict[str, Any]:
        return {"seed": self._told.seed, "batch_size": self._told.batch_size}

    def _score(self, key: str, row: Row, name: str, entrants: Entrants) -> dict[str, Any]:
        label = _label(key, row)
        how, maps = self._told.how, self._told.how.save_predictions
        how = replace(how, label=label, save_predictions=maps and maps / key)
        try:
            [report] = run.run(self._ready[name], entrants, how, self._screen)
        except MonostepError as error:
            self.failed.append(f"{key} on {name}: {error}")
            return unscored("failed")
        for one in report["failed"]:
            self.failed.append(f"{key} on {name}: {one['image']}: {one['reason']}")
        return scored(row, row.cells[name], report, _report_of(label, name))


def _attended(row: Row, how: Loading) -> Row:
    """The row with the attention that is asked for, where it is a joint model's."""
    if row.run is None or row.run.attention is None or how.attention is None:
        return row
    return replace(row, run=replace(row.run, attention=how.attention))


def _label(key: str, row: Row) -> str:
    """What tells the files of a row from others of the same benchmark."""
    is_joint = row.run is not None and row.run.attention == "joint"  # as no published one was
    return f"paper-{key}-joint" if is_joint else f"paper-{key}"


def _report_of(label: str, benchmark: str) -> str:
    return f"{benchmark}-{label}.json"


def _without_data(name: str, error: str) -> str:
    where = "" if GUIDE in error else f"; {GUIDE} says where to get it"
    return f"no data of {name}: {error.removeprefix(f'{name}: ')}{where}"
