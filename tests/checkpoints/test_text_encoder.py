import gzip
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from monostep.checkpoints import layout, text_encoder, weight_files
from monostep.errors import CheckpointError, MissingExtraError

SHARED = Path(__file__).parents[3] / "shared" / "data"
FILE = "text_encoder/model.safetensors"


@pytest.fixture
def place(published, tmp_path):
    return shutil.copytree(published("marigold-depth-v1-0"), tmp_path / "model")


def rows(place, tokens=2):
    files = weight_files.choose(layout.names(place), "text_encoder")
    return text_encoder.embed(place, files, tokens=tokens)


def test_the_empty_prompt_is_two_tokens_or_padded_with_exclamation_marks(place):
    tokenizer = transformers.CLIPTokenizer.from_pretrained(place / "tokenizer")
    assert tokenizer("").input_ids == text_encoder.token_ids(2)
    padded = tokenizer("", padding="max_length", max_length=77).input_ids
    assert padded == text_encoder.token_ids(77)


def test_the_ids_are_those_of_clips_vocabulary():
    path = SHARED / "weights" / "tokenizer" / "bpe_simple_vocab_16e6.txt.gz"
    if not path.is_file():
        pytest.skip("CLIP's vocabulary is not here")
    lines = gzip.decompress(path.read_bytes()).decode().split("\n")
    merges = [tuple(line.split()) for line in lines[1 : 49152 - 256 - 2 + 1]]
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [code for code in range(256) if code not in printable]
    letters = [chr(c) for c in printable] + [chr(256 + i) for i in range(len(others))]
    words = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(m) for m in merges)]
    words += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: index for index, word in enumerate(words)}
    tokenizer = transformers.CLIPTokenizer(vocab=vocabulary, merges=merges, pad_token="!")
    assert tokenizer("").input_ids == text_encoder.token_ids(2)
    padded = tokenizer("", padding="max_length", max_length=77).input_ids
    assert padded == text_encoder.token_ids(77)


def test_the_first_rows_of_the_long_prompt_are_the_short_one(place):
    short, long = rows(place), rows(place, 77)
    assert short.shape == (2, 16)
    assert long.shape == (77, 16)
    torch.testing.assert_close(long[:2], short, rtol=0, atol=1e-5)
    assert not torch.allclose(long[2], long[3], atol=1e-3)


def test_a_published_embedding_has_this_shape_and_its_first_rows_differ():
    path = SHARED / "text_embed" / "genpercept_empty_text_embed_77x1024.npy"
    if not path.is_file():
        pytest.skip("the published embedding is not here")
    embedding = np.load(path).reshape(-1, 1024)
    assert embedding.shape == (text_encoder.LONG, 1024)
    assert np.isfinite(embedding).all()
    assert np.abs(embedding[0] - embedding[1]).max() > 0.1


def test_it_is_the_last_state_after_the_final_norm(place):
    encoder = transformers.CLIPTextModel.from_pretrained(place / "text_encoder")
    with torch.no_grad():
        ids = torch.tensor([text_encoder.token_ids(2)])
        expected = encoder(ids, output_hidden_states=True)
    assert torch.equal(rows(place), expected.last_hidden_state[0])
    # A fresh norm has weight 1 and bias 0, so that every row has mean 0 and deviation 1.
    torch.testing.assert_close(rows(place).mean(dim=1), torch.zeros(2), rtol=0, atol=1e-4)
    assert not torch.allclose(expected.hidden_states[-1][0].std(dim=1), torch.ones(2), atol=0.01)


def test_prompts_of_one_length_are_encoded_together_as_alone(place):
    ids = torch.tensor([[49406, 256, 0, 49407], [49406, 0, 256, 49407]])
    files = weight_files.choose(layout.names(place), "text_encoder")
    both = text_encoder.embed_ids(place, files, ids)
    alone = text_encoder.embed_ids(place, files, ids[1:])
    assert both.shape == (2, 4, 16)
    torch.testing.assert_close(both[1:], alone, rtol=0, atol=1e-5)
    assert not torch.allclose(both[0, 1], both[1, 1], atol=1e-3)


@pytest.mark.parametrize("kind", ["bin", "fp16", "old names"])
def test_every_kind_of_file_gives_the_same(place, kind):
    expected = rows(place)
    stored = load_file(place / FILE)
    (place / FILE).unlink()
    if kind == "bin":
        torch.save(stored, place / "text_encoder" / "pytorch_model.bin")
    elif kind == "fp16":
        half = {name: tensor.half() for name, tensor in stored.items()}
        save_file(half, place / "text_encoder" / "model.fp16.safetensors", {"format": "pt"})
    else:  # with the prefix and the buffer that files of 2022 have
        bare = {name.removeprefix("text_model."): tensor for name, tensor in stored.items()}
        old = {f"text_model.{name}": tensor for name, tensor in bare.items()}
        old["text_model.embeddings.position_ids"] = torch.arange(77)[None]
        save_file(old, place / FILE, {"format": "pt"})
    tolerance = 1e-2 if kind == "fp16" else 0
    torch.testing.assert_close(rows(place), expected, rtol=0, atol=tolerance)


def test_what_is_broken_or_of_another_model_is_named(place):
    stored = load_file(place / FILE)
    lacking = {name: tensor for name, tensor in stored.items() if "layers.1" not in name}
    save_file(lacking, place / FILE, {"format": "pt"})
    with pytest.raises(CheckpointError, match=r"model\.safetensors: \d+ weights missing"):
        rows(place)
    (place / FILE).write_bytes(b"not weights at all")
    with pytest.raises(CheckpointError, match=r"model\.safetensors: the text encoder cannot be"):
        rows(place)
    broken = {name: torch.full_like(tensor, float("nan")) for name, tensor in stored.items()}
    save_file(broken, place / FILE, {"format": "pt"})
    with pytest.raises(CheckpointError, match="embedding is not finite"):
        rows(place)


def test_without_transformers_the_extra_is_named(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'monostep\[convert\]'"):
        rows(place)


def test_the_library_is_left_as_it_was(place):
    log = transformers.utils.logging
    before = log.get_verbosity(), log.is_progress_bar_enabled()
    rows(place)
    assert (log.get_verbosity(), log.is_progress_bar_enabled()) == before
