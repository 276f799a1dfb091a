"""What is known already of one contender on one benchmark, in files that survive any end.

`STEM.progress.jsonl` has a line that says what was judged and how, then a line for each image.
Images that went through a model together are written together, and count only if all are there:
going on must put the same images together again. Beside it, where angles are pooled,
`STEM.progress.npz` holds those of some of the first lines; lines beyond are judged again.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Any

from monostep.errors import InputError, OutputError
from monostep.evaluation.judge import Scored
from monostep.evaluation.progress_key import difference
from monostep.evaluation.reports import paths as report_paths
from monostep.evaluation.scores import MODEL, Line
from monostep.files.atomic import write_bytes
from monostep.metrics.angle_histogram import AngleHistogram

_FIELDS = {  # of an entry, each with the types that JSON gives it
    "index": (int,),
    "rest": (int,),
    "image": (str,),
    "stratum": (str,),
    "pixels": (int,),
    "scores": (dict,),
    "problem": (str, type(None)),
}
SAVE_AFTER = 60  # images, so often are pooled angles saved

Entry = tuple[int, Scored]  # an image's place in the list, and what is known of it


class Progress(AbstractContextManager["Progress"]):
    """The lines of one contender, on disk as they come.

    Lines and reports that were made under another key are put aside, not lost.

    Args:
        folder: of the reports.
        stem: of the files.
        key: plain values on which the scores depend; lines made under another key do not count.
        pooled: whether angles are kept.
        again: forget what is there.
        say: hears in one line that something is put aside.
    """

    def __init__(
        self,
        folder: Path,
        stem: str,
        key: Mapping[str, Any],
        *,
        pooled: bool,
        again: bool = False,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._path = folder / f"{stem}.progress.jsonl"
        self._angles = folder / f"{stem}.progress.npz"
        self._head = json.dumps(key, sort_keys=True)
        self.histogram = AngleHistogram() if pooled else None
        self.seen = 0  # the first place of the list that no line is about
        other = self._other(folder / f"{stem}.json", key)
        if other is not None:
            report_paths.put_aside(folder, stem)
            say(f"{other}; all images are judged anew, and the old files are {stem}.old.* now")
        kept = [] if again else self._known()
        self.lines: dict[int, Line] = {entry["index"]: _line(entry) for entry in kept}
        text = "\n".join([self._head, *(json.dumps(entry) for entry in kept)]) + "\n"
        write_bytes(self._path, text.encode())
        if not kept:
            self._angles.unlink(missing_ok=True)
        self._file = self._path.open("a")
        self._unsaved = 0

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Save what can be saved, however it ends."""
        self._save()
        self._file.close()

    def add(self, together: Sequence[Entry]) -> None:
        """Note images that were judged together.

        Raises:
            OutputError: the disk is full or the file was taken away.
        """
        text = ""
        for place, (index, scored) in enumerate(together):
            rest = len(together) - 1 - place
            text += json.dumps({"index": index, "rest": rest, **asdict(scored.line)}) + "\n"
            self.lines[index] = scored.line
            if self.histogram is not None and scored.angle_deg is not None:
                self.histogram.add(scored.angle_deg)
        try:
            self._file.write(text)
            self._file.flush()
        except OSError as error:
            raise OutputError(f"{self._path}: cannot be written ({error.strerror})") from error
        self._unsaved += len(together)
        if self._unsaved >= SAVE_AFTER:
            self._save()

    def _save(self) -> None:
        if self.histogram is not None and self._unsaved:
            self.histogram.save(self._angles)
        self._unsaved = 0

    def _other(self, report: Path, key: Mapping[str, Any]) -> str | None:
        """What the files here are of, if of anything but our key."""
        try:
            head = self._path.read_bytes().split(b"\n")[0].decode()
        except FileNotFoundError:
            unknown = "has no lines beside it that tell how it was made"
            return f"{report.name}: {unknown}" if report.exists() else None
        except (OSError, UnicodeDecodeError):
            return f"{self._path.name}: is damaged"
        if head == self._head:
            return None
        return f"{self._path.name}: {difference(head, key)}"

    def _known(self) -> list[dict[str, Any]]:
        """The entries that count; those of images with a problem are tried again."""
        try:
            _, *rest = self._path.read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            return []
        entries = _whole(rest)
        if self.histogram is not None:
            entries = self._covered(entries)
        self.seen = max((entry["index"] + 1 for entry in entries), default=0)
        return [entry for entry in entries if entry["problem"] is None]

    def _covered(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The first whole groups, whose angles the saved histogram holds; none if it fits none.

        Groups in which nothing could be judged have no angles, and belong to those before them.
        """
        try:
            saved = AngleHistogram.load(self._angles)
        except InputError:
            return []
        counts = accumulate((entry["pixels"] for entry in entries), initial=0)
        ends = [True, *(entry["rest"] == 0 for entry in entries)]
        covered = [
            number
            for number, (count, is_end) in enumerate(zip(counts, ends, strict=True))
            if is_end and count == saved.count
        ]
        if not covered:
            return []
        self.histogram = saved
        return entries[: covered[-1]]


def _whole(lines: Sequence[str]) -> list[dict[str, Any]]:
    """The entries up to the last whole group: a kill may have cut the end, a disk spoilt a line."""
    entries: list[dict[str, Any]] = []
    complete = 0
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            break
        if not _is_entry(entry):
            break
        entries.append(entry)
        if entry["rest"] == 0:
            complete = len(entries)
    return entries[:complete]


def _is_entry(entry: Any) -> bool:
    """Whether it is what `add` writes."""
    if not isinstance(entry, dict) or entry.keys() != _FIELDS.keys():
        return False
    if not all(type(entry[name]) in kinds for name, kinds in _FIELDS.items()):
        return False
    scores = entry["scores"]
    if min(entry["index"], entry["rest"], entry["pixels"]) < 0:
        return False
    if entry["problem"] is None and MODEL not in scores:
        return False
    return all(
        isinstance(method, dict) and all(type(value) in (float, int) for value in method.values())
        for method in scores.values()
    )


def _line(entry: Mapping[str, Any]) -> Line:
    return Line(**{name: entry[name] for name in Line.__dataclass_fields__})
