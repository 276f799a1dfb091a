"""What the UNet of a found checkpoint reads beside the latents.

Marigold, E2E-FT      the empty prompt
GeoWizard             what an image encoder makes of the picture
GeoWizard, second     the prompt of each domain
"""

from pathlib import Path

from torch import Tensor

from monostep.checkpoints import domain_prompts, hub_errors, networks, prompt, text_source
from monostep.checkpoints.assembly import Context
from monostep.checkpoints.found import Checkpoint
from monostep.checkpoints.prompt import Encoder
from monostep.errors import CheckpointError


def read(checkpoint: Checkpoint, *, copy: bool = True) -> Context:
    """The prompts, or the image encoder (with weights as `copy` says: see `networks`).

    Raises:
        CheckpointError: it cannot be had, or is broken.
        MissingExtraError: a prompt must be computed, and transformers is not installed.
    """
    if checkpoint.image_encoder:
        checkpoint.fetch(checkpoint.image_encoder)
        return networks.image_encoder(checkpoint.folder, checkpoint.image_encoder, copy=copy)
    encoder = Encoder(
        folder=checkpoint.folder,
        names=checkpoint.names,
        variant=checkpoint.variant,
        fetch=checkpoint.fetch,
    )
    if checkpoint.card.task != "geometry":
        return _empty_prompt(checkpoint, encoder)
    carried = domain_prompts.carried(encoder)
    if carried is not None:
        return carried
    if prompt.CONFIG in checkpoint.names:
        return domain_prompts.load(encoder, store=_store(checkpoint, "domains"))
    return text_source.prompts(checkpoint.folder, offline=checkpoint.offline)


def _empty_prompt(checkpoint: Checkpoint, encoder: Encoder) -> Tensor:
    tokens, snapshot = checkpoint.prompt_tokens, checkpoint.snapshot
    store = _store(checkpoint, str(tokens or prompt.SHORT))
    try:
        return prompt.load(encoder, tokens=tokens, store=store)
    except CheckpointError as error:
        if snapshot is None or not snapshot.offline or prompt.CONFIG in checkpoint.names:
            raise
        raise hub_errors.not_cached(snapshot.id, snapshot.commit, "the text encoder") from error


def _store(checkpoint: Checkpoint, what: str) -> Path | None:
    """Beside a Hub checkpoint's snapshot; None leaves it to the user's cache."""
    if checkpoint.snapshot is None:
        return None
    return checkpoint.snapshot.beside / f"prompt-{checkpoint.snapshot.commit}-{what}.safetensors"
