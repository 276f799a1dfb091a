"""Are the weights on this machine still the ones that were published, written or shipped?"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monostep.checkpoints import embedded, folded, folder, hub, layout, places, registry
from monostep.errors import CheckpointError, MissingExtraError, MonostepWarning

SAME = "weights as its card says"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was seen of one model."""

    name: str
    said: str
    well: bool
    here: bool = True  # else nothing was found that could be broken


def of_embedded() -> Iterator[Finding]:
    """Each model inside the package against the hash of its card."""
    for name in embedded.names():
        yield of_source(name)


def of_downloaded(*, verify: bool) -> Iterator[Finding]:
    """Each published model in the Hub's cache; with `verify`, its large files read and hashed."""
    for id in dict.fromkeys(entry.id for entry in registry.PUBLISHED):
        try:
            snapshot = _located(id).snapshot
        except (CheckpointError, MissingExtraError):
            continue  # not downloaded, or nothing to download with
        if snapshot is not None:
            yield _of_snapshot(id, snapshot, verify=verify)


def of_source(source: str | Path) -> Finding:
    """A model's weights, read whole, against the hash that came with them.

    That is the card's of what monostep wrote, and the Hub's of what was downloaded from there: an
    alias or an id is looked for in the Hub's cache. No request is made.
    """
    name = str(source)
    if name.endswith(folded.ENDING):
        return _of_file(Path(source))
    try:
        place = _located(source)
    except (CheckpointError, MissingExtraError) as error:
        return Finding(name=name, said=str(error), well=False, here=False)
    if place.snapshot is not None:
        return _of_snapshot(name, place.snapshot, verify=True)
    if layout.CARD in place.names:
        return _of_folder(name, place.folder)
    if layout.INDEX in place.names:
        return Finding(name=name, said=f"no {layout.CARD}: no hash to compare with", well=True)
    lacks = f"{place.folder} holds no model (of a training it is in RUN/model)"
    return Finding(name=name, said=lacks, well=False, here=False)


def _of_file(path: Path) -> Finding:
    try:
        folded.check_hash(path, folded.read_card(path))
    except CheckpointError as error:
        return Finding(name=str(path), said=str(error), well=False, here=path.exists())
    return Finding(name=str(path), said=SAME, well=True)


def _of_folder(name: str, path: Path) -> Finding:
    try:
        folder.check_hash(path, folder.read_card(path))
    except CheckpointError as error:
        return Finding(name=name, said=str(error), well=False)
    return Finding(name=name, said=SAME, well=True)


def _located(source: str | Path) -> places.Place:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MonostepWarning)  # another commit than would be taken
        return places.locate(source, revision=None, offline=True)


def _of_snapshot(name: str, snapshot: hub.Snapshot, *, verify: bool) -> Finding:
    size = sum(facts.bytes or 0 for facts in snapshot.files.values())
    said = f"commit {snapshot.commit[:7]}, {len(snapshot.files)} files, {size / 1e9:.2f} GB"
    if not verify:
        return Finding(name=name, said=f"{said}; not verified", well=True)
    hashed = sum(facts.sha256 is not None for facts in snapshot.files.values())
    corrupt = snapshot.corrupt()
    if not hashed:
        return Finding(name=name, said=f"{said}; no large file to verify", well=False)
    if corrupt:
        told = f"corrupt: {', '.join(corrupt)}; delete {snapshot.folder} and load it again"
    else:
        told = f"the {hashed} large ones as the Hub said"
    return Finding(name=name, said=f"{said}; {told}", well=not corrupt)
