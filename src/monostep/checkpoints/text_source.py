"""Stable Diffusion 2's text encoder, where a checkpoint was trained with it and has none itself.

GeoWizard's second version: its repository holds the UNet, its program takes the words from there.
"""

from contextlib import suppress
from pathlib import Path

from monostep.checkpoints import domain_prompts, hub, registry
from monostep.checkpoints.domain_prompts import Prompts
from monostep.checkpoints.hub import Snapshot
from monostep.checkpoints.prompt import Encoder
from monostep.errors import CheckpointError

SOURCE = registry.BY_NAME["stable-diffusion-2"]
IDS = (SOURCE.id, *SOURCE.mirrors)


def prompts(place: Path, *, offline: bool | None = None) -> Prompts:
    """The prompt of each domain, remembered or computed with an encoder of the Hub.

    Args:
        place: the checkpoint that they are for, which the error names.
        offline: make no request at all; None for what HF_HUB_OFFLINE says.

    Raises:
        CheckpointError: no such encoder can be had.
        MissingExtraError: it must be asked, and transformers is not installed.
    """
    for id in IDS:  # once computed, nobody is asked any more
        with suppress(CheckpointError):
            remembered = domain_prompts.remembered(_store(hub.find(id, offline=True)))
            if remembered is not None:
                return remembered
    return _computed(place, offline=offline)


def _computed(place: Path, *, offline: bool | None) -> Prompts:
    absent: list[CheckpointError] = []
    broken: list[CheckpointError] = []
    for id in IDS:
        reasons = absent
        try:
            snapshot = hub.find(id, offline=offline)
            reasons = broken
            encoder = Encoder(
                folder=snapshot.folder, names=tuple(snapshot.files), fetch=snapshot.fetch
            )
            return domain_prompts.load(encoder, store=_store(snapshot))
        except CheckpointError as error:
            reasons.append(error)
    reason = [*broken, *absent][0]  # what is there and cannot be used tells more
    raise CheckpointError(
        f"{place}: has no text_encoder/ and tokenizer/ that say the domain, and neither "
        f"{' nor '.join(IDS)} can be had ({reason}); copy Stable Diffusion 2's two folders into it"
    ) from reason


def _store(snapshot: Snapshot) -> Path:
    return snapshot.beside / f"prompt-{snapshot.commit}-domains.safetensors"
