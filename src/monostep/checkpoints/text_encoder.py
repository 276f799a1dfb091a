"""Prompts through CLIP's text encoder, with transformers: needed once per checkpoint.

Nearly always the empty one. Without padding it is two tokens, as every published program feeds it
at inference; padded to the full length it is what E2E-FT's models saw in training. The encoder is
causal, so that the first two rows are the same.
"""

import pickle
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError
from torch import Tensor

from monostep.checkpoints import weight_files
from monostep.checkpoints.weights import UNREADABLE
from monostep.errors import CheckpointError, MissingExtraError

FOLDER = "text_encoder"
BEGIN, END, PAD = 49406, 49407, 0  # CLIP's tokens; "!" is what this family pads with
SHORT, LONG = 2, 77  # tokens: unpadded, and all the encoder has room for


def token_ids(tokens: int) -> list[int]:
    """CLIP's ids of the empty prompt, padded to so many tokens."""
    return [BEGIN, END] + [PAD] * (tokens - 2)


def library() -> ModuleType:
    """The transformers package; MissingExtraError if it is not installed."""
    try:
        import transformers
    except ImportError as error:
        raise MissingExtraError(
            "the prompt embedding of this checkpoint is computed once, with transformers: run "
            "pip install 'monostep[convert]'"
        ) from error
    return transformers


def embed(folder: Path, files: Sequence[str], *, tokens: int) -> Float[Tensor, "token width"]:
    """The embedding of the empty prompt: as `embed_ids`.

    `tokens`: 2, or 77 (no attention mask, as in E2E-FT's training).
    """
    return embed_ids(folder, files, torch.tensor([token_ids(tokens)]))[0].clone()


def embed_ids(
    folder: Path, files: Sequence[str], ids: Int[Tensor, "prompt token"]
) -> Float[Tensor, "prompt token width"]:
    """The last hidden state, after the final layer norm, of prompts of one length.

    Args:
        folder: the checkpoint's.
        files: names of the encoder's weight files in it.
        ids: of the prompts' tokens.

    Raises:
        MissingExtraError: transformers is not installed.
        CheckpointError: the encoder's files are broken.
    """
    chosen = weight_files.parse(files[0], FOLDER)
    with quiet(library()) as transformers:
        try:
            encoder, report = transformers.CLIPTextModel.from_pretrained(
                folder / FOLDER,
                variant=chosen and chosen.variant,
                use_safetensors=files[0].endswith(".safetensors"),
                local_files_only=True,
                output_loading_info=True,
            )
        except (*UNREADABLE, SafetensorError, pickle.UnpicklingError) as error:
            reason = str(error).strip().splitlines()[0]
            raise CheckpointError(
                f"{folder / files[0]}: the text encoder cannot be read ({reason}); copy or "
                "download it again"
            ) from error
    if report["missing_keys"]:
        raise CheckpointError(
            f"{folder / files[0]}: {len(report['missing_keys'])} weights missing (first: "
            f"{min(report['missing_keys'])}); it is not the text encoder of this checkpoint"
        )
    with torch.inference_mode():
        state = encoder.float().eval()(input_ids=ids).last_hidden_state
    if not torch.isfinite(state).all():
        raise CheckpointError(
            f"{folder / files[0]}: the prompt's embedding is not finite; the file is broken, copy "
            "or download it again"
        )
    return state.clone()


@contextmanager
def quiet(transformers: ModuleType) -> Iterator[ModuleType]:
    """No bars, notes and warnings of the library: it is used for one thing, and that is checked."""
    log = transformers.utils.logging
    verbosity, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield transformers
    finally:
        log.set_verbosity(verbosity)
        if bars:
            log.enable_progress_bar()
