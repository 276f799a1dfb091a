import shutil
import sys

import pytest
import torch
import transformers

from monostep.checkpoints import domain_prompts, layout, text_encoder, weights
from monostep.checkpoints.prompt import Encoder
from monostep.errors import CheckpointError, MissingExtraError


@pytest.fixture
def place(geowizard, tmp_path):
    return shutil.copytree(geowizard("stable-diffusion-2"), tmp_path / "model")


@pytest.fixture
def computed(monkeypatch):
    """How often the encoder ran."""
    runs, embed = [], text_encoder.embed_ids
    monkeypatch.setattr(text_encoder, "embed_ids", lambda *a: runs.append(1) or embed(*a))
    return runs


def encoder(place):
    return Encoder(folder=place, names=layout.names(place))


def test_each_domain_is_four_tokens_as_transformers_encodes_them(place):
    prompts = domain_prompts.load(encoder(place))
    tokenizer = transformers.CLIPTokenizer.from_pretrained(place / "tokenizer")
    model = transformers.CLIPTextModel.from_pretrained(place / "text_encoder")
    for prompt, domain in zip(prompts, ("indoor", "outdoor", "object"), strict=True):
        ids = tokenizer(f"{domain} geometry", return_tensors="pt").input_ids
        with torch.no_grad():
            expected = model(ids).last_hidden_state[0]
        torch.testing.assert_close(prompt, expected, rtol=0, atol=1e-5)
    assert prompts.shape == (3, 4, 16)
    assert not torch.allclose(prompts[0, 1], prompts[1, 1], atol=1e-2)


def test_they_are_computed_once_for_the_very_files(place, computed, caches):
    first = domain_prompts.load(encoder(place))
    assert torch.equal(domain_prompts.load(encoder(place)), first)
    assert computed == [1]
    (stored,) = (caches / "monostep" / "prompts").iterdir()
    assert stored.name.endswith("-domains.safetensors")
    assert torch.equal(domain_prompts.remembered(stored), first)
    (place / "tokenizer" / "merges.txt").touch()  # another tokenizer, for all that is known
    domain_prompts.load(encoder(place))
    assert computed == [1, 1]


def test_a_broken_memory_is_made_again(place, computed, tmp_path):
    store = tmp_path / "prompts.safetensors"
    first = domain_prompts.load(encoder(place), store=store)
    store.write_bytes(b"broken")
    assert domain_prompts.remembered(store) is None
    assert torch.equal(domain_prompts.load(encoder(place), store=store), first)
    assert torch.equal(domain_prompts.remembered(store), first)
    assert len(computed) == 2
    assert domain_prompts.remembered(None) is None


def test_what_is_carried_is_read(tmp_path):
    assert domain_prompts.carried(encoder(tmp_path)) is None
    prompts = torch.randn(3, 4, 16)
    weights.write(tmp_path / layout.PROMPT, domain_prompts.tensors(prompts.half()))
    assert torch.equal(domain_prompts.carried(encoder(tmp_path)), prompts.half().float())


@pytest.mark.parametrize(
    "tensors",
    [
        {"prompt": torch.zeros(2, 16)},
        {"indoor": torch.zeros(4, 16), "outdoor": torch.zeros(4, 16)},
        dict.fromkeys(("indoor", "outdoor", "object"), torch.zeros(16)),
        {"indoor": torch.zeros(4, 8), "outdoor": torch.zeros(4, 16), "object": torch.zeros(4, 16)},
    ],
)
def test_a_file_without_every_domain_is_named(tmp_path, tensors):
    weights.write(tmp_path / "p.safetensors", {k: v.clone() for k, v in tensors.items()})
    with pytest.raises(CheckpointError, match="expected indoor, outdoor, object, all of one shape"):
        domain_prompts.read(tmp_path / "p.safetensors")


def test_a_tokenizer_of_other_words_is_refused(place):
    (place / "tokenizer" / "merges.txt").write_text("#version: 0.2\n")  # letters are all it knows
    with pytest.raises(CheckpointError, match=r"16 of 'indoor geometry', .*; expected 4"):
        domain_prompts.load(encoder(place))


def test_without_transformers_nothing_is_downloaded(place, monkeypatch, caches):
    fetched = []
    asking = Encoder(folder=place, names=layout.names(place), fetch=fetched.append)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError):
        domain_prompts.load(asking, store=caches / "none.safetensors")
    assert fetched == []
