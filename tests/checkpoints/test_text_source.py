import shutil

import pytest
import torch

from monostep.checkpoints import domain_prompts, layout, text_encoder, text_source
from monostep.checkpoints.prompt import Encoder
from monostep.errors import CheckpointError

LOST, MIRROR = text_source.IDS


@pytest.fixture
def expected(geowizard):
    place = geowizard("stable-diffusion-2")
    return domain_prompts.load(Encoder(folder=place, names=layout.names(place)))


@pytest.mark.parametrize("id", [pytest.param(LOST, marks=pytest.mark.slow), MIRROR])
def test_the_words_come_from_whoever_still_has_them_once(
    hub, geowizard, tmp_path, expected, monkeypatch, id
):
    hub.repositories[id] = geowizard("stable-diffusion-2")
    assert torch.equal(text_source.prompts(tmp_path), expected)
    fetched = {line.rpartition("/")[2] for line in hub.requests if line.startswith("GET")}
    assert "vocab.json" in fetched
    assert "diffusion_pytorch_model.safetensors" not in fetched
    hub.requests.clear()
    monkeypatch.setattr(text_encoder, "embed_ids", None)
    for offline in (None, True):
        assert torch.equal(text_source.prompts(tmp_path, offline=offline), expected)
    assert hub.requests == []


def test_where_nobody_has_them_it_says_where_to_get_them(hub, tmp_path):
    for offline in (None, True):
        message = (
            f"{tmp_path}: has no text_encoder/ .* neither {LOST} nor {MIRROR} can be had .*; copy "
            "Stable Diffusion 2's two folders into it"
        )
        with pytest.raises(CheckpointError, match=message) as raised:
            text_source.prompts(tmp_path, offline=offline)
        assert "\n" not in str(raised.value)
    assert hub.requests  # it was asked


def test_what_is_there_and_broken_is_the_reason(hub, geowizard, tmp_path):
    place = shutil.copytree(geowizard("stable-diffusion-2"), tmp_path / "model")
    shutil.rmtree(place / "tokenizer")
    hub.repositories[LOST] = place  # and the other is not there at all
    with pytest.raises(CheckpointError, match=r"can be had \(.*tokenizer/: no files"):
        text_source.prompts(tmp_path)
