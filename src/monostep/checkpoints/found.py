"""A checkpoint that was found, not yet read."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from monostep.checkpoints import hub
from monostep.checkpoints.card import Card


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A model that was found, not yet read."""

    folder: Path
    card: Card
    names: tuple[str, ...]  # its files, relative to the folder, there already or not
    unet: tuple[str, ...]  # those with the UNet's weights
    vae: tuple[str, ...]
    image_encoder: tuple[str, ...] = ()  # none where the UNet reads words
    variant: str | None = None
    prompt_tokens: int | None = None
    snapshot: hub.Snapshot | None = None  # of a Hub checkpoint
    offline: bool | None = None  # as asked for
    is_embedded: bool = False
    file: Path | None = None  # of the feed-forward form, where it is one

    @property
    def weights(self) -> tuple[str, ...]:
        """All files with weights but those that prompts are computed with."""
        return (*self.unet, *self.vae, *self.image_encoder)

    def fetch(self, names: Iterable[str]) -> None:
        """Have these files in the folder; raises CheckpointError where they cannot be had."""
        if self.snapshot is not None:
            self.snapshot.fetch(names)
