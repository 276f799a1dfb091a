"""The prompts of GeoWizard's second version, which hears in words where a picture was taken.

    indoor geometry, outdoor geometry, object geometry      four tokens each, not padded

Carried in the folder, remembered, or computed once, as the empty prompt is (`prompt`).
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.checkpoints import layout, prompt, text_encoder, tokenizer, weights
from monostep.checkpoints.prompt import Encoder
from monostep.errors import CheckpointError, OutputError
from monostep.geometry.domain import DOMAINS

Prompts = Float[Tensor, "domain token width"]

TEXTS = tuple(f"{domain} geometry" for domain in DOMAINS)
TOKENS = 4  # beginning, domain, geometry, end


def tensors(prompts: Prompts) -> Mapping[str, Tensor]:
    """The tensors of a prompt file."""
    return {name: prompt.float() for name, prompt in zip(DOMAINS, prompts, strict=True)}


def read(path: Path) -> Prompts:
    """The prompts in a file, in float32; CheckpointError unless it has one of each domain."""
    stored = weights.read(path)
    found = [stored[name] for name in DOMAINS if name in stored]
    if len(found) < len(DOMAINS) or found[0].ndim != 2 or len({t.shape for t in found}) > 1:
        raise CheckpointError(
            f"{path}: holds {', '.join(stored)}, expected {', '.join(DOMAINS)}, all of one shape "
            "[token, width]"
        )
    return torch.stack(found).float()


def carried(encoder: Encoder) -> Prompts | None:
    """Those in the checkpoint's own prompt file, if it has one."""
    if layout.PROMPT not in encoder.names:
        return None
    encoder.fetch([layout.PROMPT])
    return read(encoder.folder / layout.PROMPT)


def remembered(store: Path | None) -> Prompts | None:
    """Those in a file that `load` wrote, if it is there and whole."""
    if store is None or not store.is_file():
        return None
    with suppress(CheckpointError):  # broken: they are computed and written again
        return read(store)
    return None


def load(encoder: Encoder, *, store: Path | None = None) -> Prompts:
    """The prompts as a text encoder and its tokenizer say them, in float32.

    Args:
        encoder: where both are.
        store: file to remember them in; None for the user's cache.

    Raises:
        CheckpointError: encoder or tokenizer are missing or broken.
        MissingExtraError: they must be computed, and transformers is not installed.
    """
    words = tokenizer.names(encoder.names)
    store = store or prompt.cached_at(encoder, "domains", words)
    known = remembered(store)
    if known is not None:
        return known
    text_encoder.library()  # before a large download for nothing
    encoder.fetch([*encoder.configs(), *encoder.files(), *words])
    ids = tokenizer.token_ids(encoder.folder, TEXTS)
    if {len(row) for row in ids} != {TOKENS}:
        found = ", ".join(f"{len(row)} of {text!r}" for row, text in zip(ids, TEXTS, strict=True))
        raise CheckpointError(
            f"{encoder.folder / tokenizer.FOLDER}: makes other numbers of tokens than CLIP's "
            f"({found}; expected {TOKENS}); copy or download it again"
        )
    computed = text_encoder.embed_ids(encoder.folder, encoder.files(), torch.tensor(ids))
    if store is not None:
        with suppress(OutputError):  # they will be computed again
            weights.write(store, tensors(computed))
    return computed
