import shutil

import pytest
import shaken_models
from shaken_models import SMALL_UNET

from monostep.checkpoints import embedded, folded, folder, health, registry
from monostep.checkpoints.card import Card
from monostep.checkpoints.hub import find
from monostep.feedforward.fold import fold

WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
CARD = Card(name="small", task="depth", quantity="depth", invariance="affine")


@pytest.fixture
def repository(hub, tmp_path):
    """The first published model, as far as a cache cares."""
    place = tmp_path / "repository"
    (place / "unet").mkdir(parents=True)
    (place / "model_index.json").write_text("{}")
    (place / WEIGHTS).write_bytes(bytes(range(256)) * 100)
    hub.repositories[registry.PUBLISHED[0].id] = place
    return registry.PUBLISHED[0]


def _damage(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.resolve().write_bytes(bytes(data))


def test_the_embedded_models_are_whole():
    assert [each.name for each in health.of_embedded()] == embedded.names()
    assert all(each.well and each.said == health.SAME for each in health.of_embedded())


@pytest.mark.parametrize("form", ["folder", "file"])
def test_one_changed_bit_is_found(tmp_path, form):
    model = shaken_models.model("tiny", unet=SMALL_UNET)
    place = tmp_path / "model.safetensors" if form == "file" else tmp_path / "model"
    if form == "file":
        folded.save(fold(model, channels=1, times=(999,)), CARD, place)
    else:
        folder.save(model, CARD, place)
    assert health.of_source(place) == health.Finding(name=str(place), said=health.SAME, well=True)
    _damage(place if form == "file" else place / WEIGHTS)
    found = health.of_source(place)
    assert found.here and not found.well
    assert "do not match the card's hash" in found.said


def test_what_has_no_hash_and_what_is_not_there_is_said(tmp_path):
    shutil.copytree(embedded.ROOT / "nano-depth", tmp_path / "bare")
    (tmp_path / "bare" / "card.json").unlink()
    assert health.of_source(tmp_path / "bare").said == "no card.json: no hash to compare with"
    (tmp_path / "empty").mkdir()
    empty = health.of_source(tmp_path / "empty")
    assert not empty.well and not empty.here
    assert "holds no model" in empty.said
    missing = health.of_source(tmp_path / "nothing.safetensors")
    assert not missing.well and not missing.here
    assert str(tmp_path) in missing.said
    wrong = health.of_source("nano-depht")
    assert not wrong.well and not wrong.here


def test_downloads_are_listed_and_read_whole_only_when_asked(hub, repository):
    assert list(health.of_downloaded(verify=True)) == []
    snapshot = find(repository.id)
    (begun,) = health.of_downloaded(verify=True)
    assert not begun.well
    assert begun.said.endswith("no large file to verify")
    snapshot.fetch([WEIGHTS])
    hub.requests.clear()
    (found,) = health.of_downloaded(verify=True)
    assert (found.name, found.well) == (repository.id, True)
    assert found.said.endswith("the 1 large ones as the Hub said")
    _damage(snapshot.folder / WEIGHTS)
    (unread,) = health.of_downloaded(verify=False)
    assert unread.well
    assert unread.said.endswith("not verified")
    (found,) = health.of_downloaded(verify=True)
    assert not found.well
    assert f"corrupt: {WEIGHTS}; delete {snapshot.folder}" in found.said
    assert health.of_source(repository.alias).said == found.said
    assert health.of_source(repository.id).said == found.said
    assert (snapshot.folder / WEIGHTS).is_file()
    assert hub.requests == []
