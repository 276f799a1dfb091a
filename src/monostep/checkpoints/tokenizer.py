"""Words as the numbers of CLIP's vocabulary, with transformers: needed once per checkpoint.

The empty prompt needs no tokenizer: see `text_encoder.token_ids`.
"""

from collections.abc import Sequence
from pathlib import Path

from monostep.checkpoints.text_encoder import library, quiet
from monostep.errors import CheckpointError

FOLDER = "tokenizer"


def names(files: Sequence[str]) -> tuple[str, ...]:
    """Those of a checkpoint's files that the tokenizer is made from; CheckpointError if none."""
    found = tuple(name for name in files if name.startswith(f"{FOLDER}/"))
    if not found:
        raise CheckpointError(
            f"{FOLDER}/: no files, so no words can be read; copy the folder of the checkpoint that "
            "the text encoder came with"
        )
    return found


def token_ids(folder: Path, texts: Sequence[str]) -> list[list[int]]:
    """The numbers of each text, between those of its beginning and end, and not padded.

    Raises:
        MissingExtraError: transformers is not installed.
        CheckpointError: the tokenizer's files are broken.
    """
    with quiet(library()) as transformers:
        try:
            read = transformers.CLIPTokenizer.from_pretrained(
                folder / FOLDER, local_files_only=True
            )
            return [list(read(text).input_ids) for text in texts]
        except Exception as error:  # its Rust half raises no other
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise CheckpointError(
                f"{folder / FOLDER}: the tokenizer cannot be read ({reason}); copy or download it "
                "again"
            ) from error
