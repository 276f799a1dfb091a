"""Joint models beside GeoWizard's program, as `monostep verify` compares them."""

import warnings
from functools import cache

import geowizard_folders
import joint_models
import pytest
import rendered_once
import torch
import transformers
from safetensors.torch import load_file, save_file

from monostep.checkpoints import opening
from monostep.errors import SettingError
from monostep.inspection import geowizard_program, joint_processor
from monostep.inspection import verify as proof

CPU = torch.device("cpu")
SIZE = (61, 83)  # and the same reduced; neither is divisible by 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folders by kind, written when they are first asked for."""
    root = tmp_path_factory.mktemp("joint")

    @cache
    def made(kind):
        if kind in ("own", "words"):
            return joint_models.geometry_folder(root / kind, words=kind == "words")
        path = geowizard_folders.write(root / kind, kind)
        file = path / "vae" / "diffusion_pytorch_model.safetensors"
        tensors = load_file(file)
        # Away from the zero vector, which has no direction: rounding would turn it anywhere.
        tensors["decoder.conv_out.bias"] += torch.tensor([0.0, 0.0, 0.6])
        save_file(tensors, file)
        return path

    return made


@pytest.fixture(autouse=True)
def _rendered_once(monkeypatch):
    monkeypatch.setattr(proof, "render", rendered_once.render)


def _verify(folder, *, attention=None, unet=None, **asked):
    checkpoint = opening.find(folder, attention=attention, unet=unet)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # diffusers and transformers advise at length
        return proof.verify(checkpoint, [SIZE], device=CPU, **asked)


def _assert_equal(outcomes):
    assert [outcome.kind for outcome in outcomes] == ["depth", "normals"] * 2
    for outcome in outcomes:
        assert outcome.ours.values.shape == outcome.theirs.values.shape
        assert outcome.ours.values.shape[:2] == outcome.case.size
        assert outcome.case.how.fit == "reference"
        assert outcome.spread > 0.05, "two constants would agree for nothing"
        assert outcome.difference <= outcome.tolerance == 1e-4, outcome.case
        assert outcome.equal


@pytest.fixture
def bars():
    """The bars of transformers, which are as they are for the whole process."""
    log = transformers.utils.logging
    before = log.is_progress_bar_enabled()
    log.enable_progress_bar()
    yield log.is_progress_bar_enabled
    if not before:
        log.disable_progress_bar()


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("geowizard-e2e", {}),
        ("geowizard", {"steps": 3, "domain": "object"}),
        pytest.param("own", {"domain": "outdoor"}, marks=pytest.mark.slow),
        ("words", {"domain": "outdoor"}),
        pytest.param("own", {"attention": "separate"}, marks=pytest.mark.slow),
        pytest.param("geowizard", {"steps": 10, "spacing": "leading"}, marks=pytest.mark.slow),
        pytest.param("geowizard", {"steps": 2, "last": "clean"}, marks=pytest.mark.slow),
        pytest.param("words", {"steps": 2, "noise": "gaussian"}, marks=pytest.mark.slow),
    ],
)
def test_both_maps_agree_with_the_published_program(folder, kind, how):
    _assert_equal(_verify(folder(kind), **how))


def test_joint_attention_is_what_makes_them_agree(folder, monkeypatch, bars, capfd):
    monkeypatch.setattr(joint_processor, "install", lambda _: None)
    outcomes = _verify(folder("geowizard-e2e"))
    assert bars()
    assert "Loading weights" not in capfd.readouterr().err
    assert not any(outcome.equal for outcome in outcomes)
    assert outcomes[0].difference > 1e-3


@pytest.mark.slow
def test_a_reference_that_is_told_another_domain_is_found_out(folder, monkeypatch):
    names = ("outdoor", "indoor", "object")
    monkeypatch.setattr(geowizard_program, "DOMAINS", names)
    assert not any(outcome.equal for outcome in _verify(folder("own")))


def test_ensembles_are_refused_and_a_cards_own_is_left_out(folder):
    with pytest.raises(SettingError, match="compare single predictions"):
        _verify(folder("own"), ensemble=3)
