import shutil

import joint_models
import pytest
import torch

from monostep.checkpoints import conditioning, domain_prompts, opening, text_encoder, text_source
from monostep.errors import CheckpointError
from monostep.network.image_encoder import ImageEncoder


def test_plain_models_read_the_empty_prompt(published):
    read = conditioning.read(opening.find(published("marigold-depth-v1-1")))
    assert read.shape == (2, 16)


def test_geowizard_looks_at_the_picture(geowizard):
    read = conditioning.read(opening.find(geowizard("geowizard")))
    assert isinstance(read, ImageEncoder)


def test_the_second_versions_words_come_from_itself_or_stable_diffusion(
    geowizard, tmp_path, monkeypatch
):
    place = shutil.copytree(geowizard("geowizard"), tmp_path / "model")
    found = opening.find(place, unet="unet_v2", offline=True)
    asked = []
    monkeypatch.setattr(
        text_source, "prompts", lambda *a, **k: asked.append((*a, k)) or torch.zeros(3, 4, 16)
    )
    conditioning.read(found)
    assert asked == [(place, {"offline": True})]
    for name in ("text_encoder", "tokenizer"):
        shutil.copytree(geowizard("stable-diffusion-2") / name, place / name)
    own = conditioning.read(opening.find(place, unet="unet_v2"))
    assert len(asked) == 1
    assert own.std() > 0.1
    shutil.rmtree(place / "tokenizer")
    with pytest.raises(CheckpointError, match="tokenizer/: no files"):
        conditioning.read(opening.find(place, unet="unet_v2"))


def test_what_a_folder_carries_needs_no_encoder(tmp_path, monkeypatch):
    place = joint_models.geometry_folder(tmp_path / "own", words=True)
    monkeypatch.setattr(text_encoder, "library", None)
    read = conditioning.read(opening.find(place))
    assert torch.equal(read, joint_models.model(words=True).prompt)


@pytest.mark.usefixtures("caches")
def test_a_hub_checkpoints_own_words_are_kept_beside_it(hub, geowizard, tmp_path, monkeypatch):
    place = shutil.copytree(geowizard("geowizard"), tmp_path / "model")
    for name in ("text_encoder", "tokenizer"):
        shutil.copytree(geowizard("stable-diffusion-2") / name, place / name)
    hub.repositories["me/both"] = place
    found = opening.find("me/both", unet="unet_v2")
    first = conditioning.read(found)
    kept = list(found.snapshot.beside.iterdir())
    assert [path.name for path in kept] == [f"prompt-{found.snapshot.commit}-domains.safetensors"]
    assert torch.equal(domain_prompts.read(kept[0]), first)
    monkeypatch.setattr(text_encoder, "embed_ids", None)
    assert torch.equal(conditioning.read(opening.find("me/both", unet="unet_v2")), first)
