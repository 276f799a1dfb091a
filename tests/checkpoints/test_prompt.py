import shutil

import pytest
import torch

from monostep.checkpoints import layout, prompt, text_encoder, weights
from monostep.checkpoints.prompt import Encoder
from monostep.errors import CheckpointError, SettingError


@pytest.fixture
def place(published, tmp_path):
    return shutil.copytree(published("marigold-depth-v1-0"), tmp_path / "model")


@pytest.fixture
def computed(monkeypatch):
    """How often the encoder ran."""
    runs = []
    embed = text_encoder.embed

    def counted(*arguments, **settings):
        runs.append(settings["tokens"])
        return embed(*arguments, **settings)

    monkeypatch.setattr(text_encoder, "embed", counted)
    return runs


def encoder(place):
    return Encoder(folder=place, names=layout.names(place))


def carry(place, rows):
    weights.write(place / layout.PROMPT, {"prompt": rows})


def test_it_is_computed_once_and_remembered(place, computed, caches):
    first = prompt.load(encoder(place))
    assert first.shape == (2, 16)
    assert torch.equal(prompt.load(encoder(place)), first)
    assert torch.equal(prompt.load(encoder(place), tokens=2), first)
    assert computed == [2]
    long = prompt.load(encoder(place), tokens=77)
    assert torch.equal(prompt.load(encoder(place), tokens=77), long)
    assert computed == [2, 77]
    stored = sorted(path.name for path in (caches / "monostep" / "prompts").iterdir())
    assert len(stored) == 2
    assert not (place / layout.PROMPT).exists()


def test_another_encoder_is_another_memory(place, computed, tmp_path):
    first = prompt.load(encoder(place))
    other = shutil.copytree(place, tmp_path / "other")
    path = other / "text_encoder" / "model.safetensors"
    weights.write(path, {name: 1.5 * tensor for name, tensor in weights.read(path).items()})
    assert not torch.allclose(prompt.load(encoder(other)), first)
    assert computed == [2, 2]


def test_a_given_store_is_used_and_mended(place, computed, tmp_path):
    store = tmp_path / "beside" / "prompt.safetensors"
    first = prompt.load(encoder(place), store=store)
    assert torch.equal(prompt.read(store), first)
    store.write_bytes(b"broken")
    assert torch.equal(prompt.load(encoder(place), store=store), first)
    assert torch.equal(prompt.read(store), first)
    assert computed == [2, 2]


def test_a_store_that_cannot_be_written_is_no_error(place, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    store = tmp_path / "file" / "prompt.safetensors"
    assert prompt.load(encoder(place), store=store).shape == (2, 16)


@pytest.mark.parametrize(
    ("carried", "asked", "rows"),
    [(2, None, 2), (2, 2, 2), (77, None, 77), (77, 77, 77), (77, 2, 2)],
)
def test_what_is_carried_goes_first(place, computed, carried, asked, rows):
    embedding = torch.randn(carried, 16)
    carry(place, embedding)
    assert torch.equal(prompt.load(encoder(place), tokens=asked), embedding[:rows])
    assert computed == []


def test_more_than_is_carried_is_computed_or_an_error(place, computed):
    carry(place, torch.randn(2, 16))
    assert prompt.load(encoder(place), tokens=77).shape == (77, 16)
    assert computed == [77]
    shutil.rmtree(place / "text_encoder")
    with pytest.raises(CheckpointError, match=r"a prompt of only 2 tokens .* no text encoder"):
        prompt.load(encoder(place), tokens=77)
    (place / layout.PROMPT).unlink()
    with pytest.raises(CheckpointError, match="carries no prompt"):
        prompt.load(encoder(place))


def test_the_encoder_is_fetched_only_when_it_must_run(place, tmp_path):
    fetched = []
    asking = Encoder(folder=place, names=layout.names(place), fetch=fetched.extend)
    store = tmp_path / "prompt.safetensors"
    prompt.load(asking, store=store)
    assert fetched == ["text_encoder/config.json", "text_encoder/model.safetensors"]
    prompt.load(asking, store=store)
    assert len(fetched) == 2


def test_an_encoder_without_its_config_is_named(place):
    (place / "text_encoder" / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"text_encoder/config.json: no such file"):
        prompt.load(encoder(place))


@pytest.mark.parametrize("tokens", [0, 1, 3, 78])
def test_other_numbers_of_tokens_are_refused(tokens):
    with pytest.raises(SettingError, match=r"choose 2 .* or 77"):
        prompt.check_tokens(tokens)


def test_an_odd_prompt_file_is_named(place):
    weights.write(place / layout.PROMPT, {"embedding": torch.zeros(2, 16)})
    with pytest.raises(CheckpointError, match=r"prompt_embedding.safetensors: holds embedding"):
        prompt.load(encoder(place))
