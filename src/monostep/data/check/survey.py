"""All images of several manifests looked at, and what was found."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from monostep.data.check import duplicates, fingerprint
from monostep.data.check.entries import Entry, entries
from monostep.data.check.findings import Finding, ordered
from monostep.data.check.looked import Looked, look
from monostep.data.check.manifest_findings import find
from monostep.data.check.summary import Summary, summarise
from monostep.data.manifest import Manifest
from monostep.errors import InputError

_MOST_THREADS = 8  # decoders release the interpreter; more threads only wait for the disk

Progress = Callable[[int, int], None]  # images done, of how many
_Result = TypeVar("_Result")


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What was found, errors first, and what was looked at."""

    findings: tuple[Finding, ...]
    summaries: tuple[Summary, ...]
    entries: tuple[Entry, ...]
    left_out: int = 0  # rows that a limit left out; they were compared with nothing

    @property
    def clean(self) -> bool:
        """Whether no finding is an error."""
        return all(each.severity != "error" for each in self.findings)


def survey(
    manifests: Sequence[Manifest],
    *,
    against: Sequence[Manifest] = (),
    limit: int | None = None,
    progress: Progress | None = None,
) -> Survey:
    """Look at every image once, small, and judge images, manifests, and all together.

    Args:
        manifests: of data to train or measure on; their names must differ.
        against: manifests whose pictures must not be among them; only their pictures are read.
        limit: so many images of each of `manifests`, evenly spread; None: all.
        progress: told after each image.

    Raises:
        InputError: two manifests of one name.
        MissingExtraError: a format needs an extra package.
    """
    _check_names([*manifests, *against])
    here, there = entries(manifests, limit), entries(against)
    total = len(here) + len(there)
    told = (lambda done: progress(done, total)) if progress else (lambda _: None)
    results = _each(lambda each: look(each.row, each.declaration, each.name), here, told)
    marks = _each(_mark, there, lambda done: told(len(here) + done))
    pairs = list(zip(here, results, strict=True))
    findings = [result for result in (*results, *marks) if isinstance(result, Finding)]
    looked = {each.name: result for each, result in pairs if isinstance(result, Looked)}
    summaries = []
    for manifest in manifests:
        own = [each for each in here if each.declaration is manifest.declaration]
        findings += find(own, looked)
        summaries.append(summarise(own, looked))
    findings += duplicates.find(_seen(here, looked) + _foreign(there, marks))
    return Survey(
        findings=ordered(findings),
        summaries=tuple(summaries),
        entries=tuple(here),
        left_out=sum(len(each.rows) for each in manifests) - len(here),
    )


def _check_names(manifests: Sequence[Manifest]) -> None:
    paths: dict[str, Manifest] = {}
    for manifest in manifests:
        other = paths.setdefault(manifest.declaration.name, manifest)
        if other is not manifest:
            raise InputError(
                f"{other.path} and {manifest.path} are both named {manifest.declaration.name!r}; "
                "give one of them another name"
            )


def _each(
    act: Callable[[Entry], _Result], over: Sequence[Entry], told: Callable[[int], None]
) -> list[_Result]:
    """The results in order, of threads that work at once; nothing is begun after an error."""
    results = []
    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:
        try:
            for done, result in enumerate(pool.map(act, over), start=1):
                results.append(result)
                told(done)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results


def _mark(entry: Entry) -> fingerprint.Fingerprint | Finding:
    try:
        return fingerprint.read(entry.row.image)
    except InputError as error:
        return Finding(
            kind="unreadable",
            severity="warning",
            manifest=entry.declaration.name,
            images=(entry.name,),
            message=f"not compared with: {error}",
        )


def _seen(here: Sequence[Entry], looked: Mapping[str, Looked]) -> list[duplicates.Seen]:
    return [
        duplicates.Seen(
            name=each.name,
            manifest=each.declaration.name,
            split=each.row.split,
            fingerprint=looked[each.name].fingerprint,
        )
        for each in here
        if each.name in looked
    ]


def _foreign(
    there: Sequence[Entry], marks: Sequence[fingerprint.Fingerprint | Finding]
) -> list[duplicates.Seen]:
    return [
        duplicates.Seen(
            name=each.name,
            manifest=each.declaration.name,
            split=each.row.split,
            fingerprint=mark,
            foreign=True,
        )
        for each, mark in zip(there, marks, strict=True)
        if isinstance(mark, fingerprint.Fingerprint)
    ]
