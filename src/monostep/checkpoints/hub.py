"""Checkpoints on the Hub: found, and their files fetched into the Hub's own cache.

huggingface_hub does the work: its cache, its token (`hf auth login`, HF_TOKEN), its mirror
(HF_ENDPOINT) and its offline switch (HF_HUB_OFFLINE) hold. No code of a repository is ever run.
"""

import hashlib
import re
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from monostep.checkpoints import hub_errors, layout
from monostep.errors import CheckpointError, MissingExtraError, MonostepWarning

ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
SHA256 = re.compile(r"[0-9a-f]{64}")
NEWEST = "main"
FIRST = (layout.INDEX, layout.CARD)  # either makes a repository a model


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the Hub says of a file; the hash only of large ones."""

    bytes: int | None
    sha256: str | None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A repository at one commit, and the folder where those of its files lie that were fetched."""

    id: str
    commit: str
    folder: Path
    files: Mapping[str, Facts]
    offline: bool

    @property
    def beside(self) -> Path:
        """A folder of the cache for what belongs to this repository but is not of it."""
        return self.folder.parent.parent / "monostep"

    def fetch(self, names: Iterable[str]) -> None:
        """Download the files that are not there yet, and check large ones against their hash.

        Raises:
            CheckpointError: a file cannot be had, or arrived corrupt.
        """
        for name in names:
            path = self.folder / name
            if path.is_file():
                continue
            if self.offline:
                raise hub_errors.not_cached(self.id, self.commit, name)
            with hub_errors.explained(self.id, self.commit):
                _api().hf_hub_download(self.id, name, revision=self.commit)
            facts = self.files.get(name)
            _check(path, facts and facts.sha256)

    def corrupt(self) -> list[str]:
        """Names of the large files that lie here and are not what their hash says."""
        return [
            name
            for name, facts in self.files.items()
            if facts.sha256 is not None
            and (self.folder / name).is_file()
            and _sha256(self.folder / name) != facts.sha256
        ]


def find(
    id: str, *, revision: str | None = None, usual: str | None = None, offline: bool | None = None
) -> Snapshot:
    """A repository's snapshot, with nothing but its index fetched.

    Args:
        id: "owner/name".
        revision: branch, tag or commit; None for `usual`.
        usual: commit to take unless another is asked for; None for the newest. Without a
            connection, the newest in the cache serves where this one is not there.
        offline: make no request at all; None for what HF_HUB_OFFLINE says.

    Raises:
        CheckpointError: it cannot be had; the message says what to run.
        MissingExtraError: huggingface_hub is not installed.
    """
    wanted = revision or usual or NEWEST
    others = () if revision else (NEWEST,)
    if _is_offline() if offline is None else offline:
        cached = _cached(id, wanted, *others)
        if cached is None:
            raise hub_errors.not_cached(id, wanted)
        return _told(cached, None if revision else usual)
    try:
        return _online(id, wanted)
    except hub_errors.NoConnectionError:
        cached = _cached(id, wanted, *others)
        if cached is None:
            raise
        return _told(cached, None if revision else usual)


def _told(snapshot: Snapshot, usual: str | None) -> Snapshot:
    """The snapshot, with a warning where it is not the commit that would be taken online."""
    if usual is not None and not snapshot.commit.startswith(usual):
        warnings.warn(
            f"{snapshot.id}: commit {usual[:7]} is not on this machine, {snapshot.commit[:7]} is "
            "taken in its place",
            MonostepWarning,
            stacklevel=2,
        )
    return snapshot


def _online(id: str, revision: str) -> Snapshot:
    api = _api()
    with hub_errors.explained(id, revision):
        info = api.model_info(id, revision=revision, files_metadata=True)
        files = {
            file.rfilename: Facts(bytes=file.size, sha256=file.lfs.sha256 if file.lfs else None)
            for file in info.siblings or ()
        }
        first = next((name for name in FIRST if name in files), None)
        if first is None:
            raise CheckpointError(
                f"{id}: has no {layout.INDEX}, so it is no model in the layout of diffusers; give "
                "the id of one that is"
            )
        # By the name of the revision, so that the cache remembers which commit that was.
        folder = Path(api.hf_hub_download(id, first, revision=revision)).parent
    if folder.name != info.sha:  # it moved in between
        return _online(id, folder.name)
    return Snapshot(id=id, commit=folder.name, folder=folder, files=files, offline=False)


def _cached(id: str, *revisions: str) -> Snapshot | None:
    """What the cache has of the first of these revisions that is there."""
    for revision in revisions:
        for name in FIRST:
            path = _library().try_to_load_from_cache(id, name, revision=revision)
            if isinstance(path, str):
                folder = Path(path).parent
                files = {name: _facts(folder / name) for name in layout.names(folder)}
                return Snapshot(id=id, commit=folder.name, folder=folder, files=files, offline=True)
    return None


def _facts(path: Path) -> Facts:
    blob = path.resolve()  # large files are kept under their hash
    sha256 = blob.name if SHA256.fullmatch(blob.name) else None
    return Facts(bytes=blob.stat().st_size, sha256=sha256)


def _check(path: Path, expected: str | None) -> None:
    """Compare a new file with its hash; a corrupt one is removed, so that it is fetched again."""
    if expected is None:
        return
    found = _sha256(path)
    if found != expected:
        for broken in (path, path.resolve()):
            with suppress(OSError):
                broken.unlink(missing_ok=True)
        raise CheckpointError(
            f"{path}: arrived corrupt (SHA-256 {found[:12]}..., expected {expected[:12]}...) and "
            "was removed; run the same command again"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _api() -> Any:
    return _library().HfApi(library_name="monostep")


def _is_offline() -> bool:
    _library()
    # Not an attribute of the package until something has imported it.
    return import_module("huggingface_hub.constants").HF_HUB_OFFLINE


def _library() -> ModuleType:
    try:
        import huggingface_hub
    except ImportError as error:
        raise MissingExtraError(
            "checkpoints on the Hub need huggingface_hub: run pip install huggingface_hub"
        ) from error
    return huggingface_hub
