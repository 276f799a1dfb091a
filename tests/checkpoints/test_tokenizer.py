import gzip
import json
import shutil
import sys
from pathlib import Path

import pytest

from monostep.checkpoints import domain_prompts, layout, text_encoder, tokenizer
from monostep.errors import CheckpointError, MissingExtraError

VOCABULARY = (
    Path(__file__).parents[3] / "shared/data/weights/tokenizer/bpe_simple_vocab_16e6.txt.gz"
)
WORDS = [
    [text_encoder.BEGIN, 9546, 21731, text_encoder.END],  # indoor geometry
    [text_encoder.BEGIN, 6368, 21731, text_encoder.END],
    [text_encoder.BEGIN, 14115, 21731, text_encoder.END],
]


@pytest.fixture
def place(geowizard, tmp_path):
    return shutil.copytree(geowizard("stable-diffusion-2"), tmp_path / "model")


def test_words_have_clips_numbers_and_no_padding(place):
    assert tokenizer.token_ids(place, domain_prompts.TEXTS) == WORDS
    assert tokenizer.token_ids(place, [""]) == [text_encoder.token_ids(2)]


def test_so_they_have_in_clips_whole_vocabulary(tmp_path):
    if not VOCABULARY.is_file():
        pytest.skip("CLIP's vocabulary is not here")
    lines = gzip.decompress(VOCABULARY.read_bytes()).decode().split("\n")
    merges = lines[1 : 49152 - 256 - 2 + 1]
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [code for code in range(256) if code not in printable]
    letters = [chr(c) for c in printable] + [chr(256 + i) for i in range(len(others))]
    words = [*letters, *(f"{letter}</w>" for letter in letters)]
    words += [merge.replace(" ", "") for merge in merges]
    words += ["<|startoftext|>", "<|endoftext|>"]
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]))
    assert tokenizer.token_ids(tmp_path, domain_prompts.TEXTS) == WORDS


def test_its_files_are_those_of_its_folder(place):
    found = tokenizer.names(layout.names(place))
    assert {"tokenizer/vocab.json", "tokenizer/merges.txt"} <= set(found)
    assert all(name.startswith("tokenizer/") for name in found)
    with pytest.raises(CheckpointError, match="tokenizer/: no files, so no words can be read"):
        tokenizer.names(["unet/config.json"])


@pytest.mark.parametrize("name", ["vocab.json", "merges.txt"])
def test_a_broken_one_is_named(place, name):
    (place / "tokenizer" / name).write_text("{ nothing")
    with pytest.raises(CheckpointError, match="tokenizer: the tokenizer cannot be read"):
        tokenizer.token_ids(place, ["indoor"])


def test_without_transformers_the_extra_is_named(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'monostep\[convert\]'"):
        tokenizer.token_ids(place, [""])
