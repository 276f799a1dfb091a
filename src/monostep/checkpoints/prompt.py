"""The embedding of the empty prompt: carried in the folder, remembered, or computed once.

Hub checkpoints have theirs remembered beside the snapshot in the Hub's cache, local folders in the
user's cache, since predicting must not write into a model's folder.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.checkpoints import layout, text_encoder, weight_files, weights
from monostep.checkpoints.text_encoder import LONG, SHORT
from monostep.errors import CheckpointError, OutputError, SettingError

CONFIG = f"{text_encoder.FOLDER}/config.json"


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """Where the text encoder of a checkpoint is, and how its files are got."""

    folder: Path  # of the checkpoint
    names: Sequence[str]  # of the checkpoint's files
    variant: str | None = None
    fetch: Callable[[Sequence[str]], None] = lambda _: None  # downloads files of these names

    def configs(self) -> tuple[str, ...]:
        """Names of the encoder's config and, for weights in parts, their index."""
        folder = f"{text_encoder.FOLDER}/"
        found = tuple(n for n in self.names if n.startswith(folder) and n.endswith(".json"))
        if CONFIG not in found:
            raise CheckpointError(
                f"{self.folder / CONFIG}: no such file; the checkpoint is incomplete, copy or "
                "download it again"
            )
        return found

    def files(self) -> tuple[str, ...]:
        """Names of the weight files: of the variant if the encoder has it, else the plain ones."""
        return weight_files.nearest(self.names, text_encoder.FOLDER, self.variant)


def check_tokens(tokens: int | None) -> None:
    """Raise SettingError unless the empty prompt is ever fed with so many tokens."""
    if tokens not in (None, SHORT, LONG):
        raise SettingError(
            f"prompt tokens {tokens!r}: choose {SHORT} (as published programs feed them) or {LONG} "
            "(as E2E-FT's models were trained)"
        )


def load(
    encoder: Encoder, *, tokens: int | None = None, store: Path | None = None
) -> Float[Tensor, "token width"]:
    """The empty prompt's embedding, in float32.

    Args:
        encoder: where it would be computed.
        tokens: 2 or 77; None for what the folder carries, or 2 where it carries none.
        store: file to remember a computed embedding in; None for the user's cache.

    Raises:
        SettingError: another number of tokens.
        CheckpointError: nothing carried and no encoder to compute it, or a broken one.
        MissingExtraError: it must be computed, and transformers is not installed.
    """
    check_tokens(tokens)
    carried = _carried(encoder)
    if carried is not None and (tokens is None or len(carried) >= tokens):
        return carried[:tokens]
    tokens = tokens or SHORT
    has_encoder = any(name.startswith(f"{text_encoder.FOLDER}/") for name in encoder.names)
    store = store or (cached_at(encoder, str(tokens)) if has_encoder else None)
    remembered = _remembered(store)
    if remembered is not None and len(remembered) == tokens:
        return remembered
    if not has_encoder:
        have = "no prompt" if carried is None else f"a prompt of only {len(carried)} tokens"
        raise CheckpointError(
            f"{encoder.folder}: carries {have} ({layout.PROMPT}) and no text encoder to compute "
            f"{tokens} tokens; add text_encoder/ of the checkpoint"
        )
    text_encoder.library()  # before a large download for nothing
    encoder.fetch([*encoder.configs(), *encoder.files()])
    computed = text_encoder.embed(encoder.folder, encoder.files(), tokens=tokens)
    if store is not None:
        with suppress(OutputError):  # it will be computed again
            weights.write(store, {"prompt": computed})
    return computed


def cached_at(encoder: Encoder, what: str, others: Sequence[str] = ()) -> Path | None:
    """The file in the user's cache for what a local encoder's very files, and others, embed."""
    root = os.environ.get("XDG_CACHE_HOME")
    try:
        cache = Path(root) if root else Path.home() / ".cache"
        identity = hashlib.sha256((encoder.folder / CONFIG).read_bytes())
        for name in (*encoder.files(), *others):
            path = (encoder.folder / name).resolve()
            facts = path.stat()
            identity.update(f"{path}\n{facts.st_size}\n{facts.st_mtime_ns}\n".encode())
    except (OSError, RuntimeError):  # no home, no config: then it is not remembered
        return None
    key = identity.hexdigest()[:32]
    return cache / "monostep" / "prompts" / f"{key}-{what}.safetensors"


def read(path: Path) -> Float[Tensor, "token width"]:
    """The embedding in a prompt file, in float32; CheckpointError if there is none."""
    tensors = weights.read(path)
    if "prompt" not in tensors or tensors["prompt"].ndim != 2:
        raise CheckpointError(
            f"{path}: holds {', '.join(tensors)}, expected a tensor 'prompt' of 2 dimensions"
        )
    # A copy, since a tensor inside a file lies at any address, and sums round by their address.
    return tensors["prompt"].to(torch.float32, copy=True)


def _carried(encoder: Encoder) -> Tensor | None:
    if layout.PROMPT not in encoder.names:
        return None
    encoder.fetch([layout.PROMPT])
    return read(encoder.folder / layout.PROMPT)


def _remembered(store: Path | None) -> Tensor | None:
    if store is None or not store.is_file():
        return None
    try:
        return read(store)
    except CheckpointError:  # broken: it is computed and written again
        return None
