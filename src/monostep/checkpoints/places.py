"""Where a source leads: into the package, to a folder, or to the Hub."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monostep.checkpoints import embedded, hub, layout, registry
from monostep.checkpoints.registry import Published
from monostep.errors import CheckpointError, SettingError


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a source leads, and what the registry knows of it."""

    folder: Path
    name: str
    names: tuple[str, ...]
    snapshot: hub.Snapshot | None = None
    published: Published | None = None
    unet: str = layout.UNET  # which folder's, of several

    @property
    def unet_config(self) -> str:
        """Name of the file that describes that UNet."""
        return f"{self.unet}/config.json"

    def fetch(self, names: Iterable[str]) -> None:
        """Have these files in the folder; raises CheckpointError where they cannot be had."""
        if self.snapshot is not None:
            self.snapshot.fetch(names)

    @property
    def who(self) -> str:
        """How an error names it."""
        if self.snapshot is None:
            return str(self.folder)
        return f"{self.snapshot.id} at {self.snapshot.commit[:7]}"


def locate(
    source: str | Path, *, revision: str | None, offline: bool | None, unet: str | None = None
) -> Place:
    """The place of an embedded name, an alias, a folder or a Hub id, looked for in this order.

    Raises:
        CheckpointError: there is nothing, or it cannot be had.
        SettingError: a revision of what has none, or a UNet that is not there.
    """
    if unet not in (None, *layout.UNETS):
        raise SettingError(f"unet {unet!r}: choose {' or '.join(layout.UNETS)}")
    return _of_unet(_place(source, revision=revision, offline=offline), unet)


def _place(source: str | Path, *, revision: str | None, offline: bool | None) -> Place:
    name = str(source)
    if name in embedded.names():
        return _local(embedded.ROOT / name, revision)
    published = registry.find(name)
    is_alias = published is not None and published.alias == name
    if not is_alias and Path(source).is_dir():
        return _local(Path(source), revision)
    if published is None and not hub.ID.fullmatch(name):
        raise CheckpointError(
            f"model {name!r}: neither an embedded model ({', '.join(embedded.names())}), nor an "
            f"alias ({', '.join(registry.aliases())}), nor a folder here, nor a Hub id owner/name"
        )
    return _on_hub(name, published, revision=revision, offline=offline)


def _local(place: Path, revision: str | None) -> Place:
    if revision is not None:
        raise SettingError(
            f"revision {revision!r}: {place} is a folder and has only one; leave revision out"
        )
    return Place(folder=place, name=place.resolve().name, names=layout.names(place))


def _on_hub(
    name: str, published: Published | None, *, revision: str | None, offline: bool | None
) -> Place:
    id = published.id if published and published.alias == name else name
    pinned = published and id.lower() not in map(str.lower, published.mirrors)
    usual = published.revision if published and pinned else None
    try:
        snapshot = hub.find(id, revision=revision, usual=usual, offline=offline)
    except CheckpointError as error:
        if published and pinned and published.note:
            raise CheckpointError(f"{error}; {published.note}") from error
        raise
    return Place(
        folder=snapshot.folder,
        name=id.rpartition("/")[2],
        names=tuple(snapshot.files),
        snapshot=snapshot,
        published=published,
    )


def _of_unet(place: Place, unet: str | None) -> Place:
    """The same place for one of its UNets, and what the registry knows of that one."""
    published = place.published
    own = published.unet if published else layout.UNET
    if unet is None or unet == own:
        return dataclasses.replace(place, unet=own)
    if own != layout.UNET:
        raise SettingError(f"unet {unet!r}: this is the one of {own}/; leave unet out")
    sibling = published and registry.of_unet(published, unet)
    if sibling is None and f"{unet}/config.json" not in place.names:
        raise SettingError(f"unet {unet!r}: {place.who} has {own}/ alone; leave unet out")
    return dataclasses.replace(place, unet=unet, published=sibling)


def identity(place: Place, files: Iterable[str]) -> dict[str, Any]:
    """What identifies a checkpoint: its id, commit, and the size and hash of its weight files.

    Its UNet's folder too, where that is not the usual one.
    """
    unet = {} if place.unet == layout.UNET else {"unet": place.unet}
    if place.snapshot is None:
        sizes = {name: (place.folder / name).stat().st_size for name in files}
        facts = {name: {"bytes": size, "sha256": None} for name, size in sizes.items()}
        return {"id": place.name, "commit": None, **unet, "files": facts}
    facts = {name: dataclasses.asdict(place.snapshot.files[name]) for name in files}
    return {"id": place.snapshot.id, "commit": place.snapshot.commit, **unet, "files": facts}
