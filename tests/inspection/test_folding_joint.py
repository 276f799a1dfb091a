"""Folding of models that predict depth and normals together."""

import drawn_scenes
import geowizard_folders
import joint_models
import numpy as np
import pytest

import monostep
from monostep.checkpoints import folder, opening
from monostep.data.procedural.render import render
from monostep.errors import CheckpointError
from monostep.geometry.domain import DOMAINS
from monostep.inspection import folding
from monostep.network.sizes import TINY_IMAGE_ENCODER
from monostep.network.unet import UNetConfig

SMALL = ((20, 28),)  # of which the UNet's maps have odd sides


@pytest.fixture(autouse=True)
def _drawn(monkeypatch):
    monkeypatch.setattr(folding, "render", drawn_scenes.render)


def _photo(height=30, width=50):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _joint_folder(path, *, words=False):
    """A model of depth and normals with two resolutions, for what must be built quickly."""
    config = UNetConfig(
        in_channels=8,
        out_channels=4,
        channels=(16, 32),
        attention=(True, False),
        heads=(2, 2),
        layers=1,
        context=TINY_IMAGE_ENCODER.outputs,
        groups=4,
        classes=4 if words else 10,
        joint=True,
    )
    folder.save(joint_models.model(words=words, unet=config), joint_models.CARD, path)
    return path


@pytest.mark.parametrize("words", [False, True], ids=["a picture", "words"])
def test_a_joint_file_predicts_both_maps_in_every_domain(tmp_path, words):
    source = _joint_folder(tmp_path / "source", words=words)
    file = tmp_path / "m.safetensors"
    done = folding.fold(opening.find(source), file, sizes=SMALL, asked={"domain": "outdoor"})
    assert [(one.map, one.size) for one in done.folded] == [
        (kind, size) for size in SMALL for kind in ("depth", "normals")
    ]
    assert all(0 < one.largest <= folding.TOLERANCES[one.map] for one in done.folded)
    assert (done.card.task, done.card.domain, done.card.attention) == (
        *("geometry", "outdoor", "joint"),
    )
    model, plain = monostep.load(file, dtype="fp32"), monostep.load(source, dtype="fp32")
    maps = {}
    for domain in (None, *DOMAINS):
        ours, expected = model(_photo(), domain=domain), plain(_photo(), domain=domain or "outdoor")
        for kind in ("depth", "normals"):
            ours_values, values = getattr(ours, kind).values, getattr(expected, kind).values
            np.testing.assert_allclose(ours_values, values, atol=2e-4)
            maps[kind, domain] = ours_values
    assert np.array_equal(maps["depth", None], maps["depth", "outdoor"])
    assert abs(maps["depth", "indoor"] - maps["depth", "outdoor"]).max() > 1e-3


def test_attention_is_chosen_when_it_is_folded_and_when_it_is_loaded(tmp_path):
    source, file = _joint_folder(tmp_path / "source"), tmp_path / "m.safetensors"
    done = folding.fold(opening.find(source, attention="separate"), file, sizes=SMALL)
    assert done.card.attention == "separate"
    for asked in ("joint", "separate"):
        ours = monostep.load(file, attention=asked, dtype="fp32")(_photo()).depth.values
        theirs = monostep.load(source, attention=asked, dtype="fp32")(_photo()).depth.values
        np.testing.assert_allclose(ours, theirs, atol=2e-4)
    assert abs(ours - monostep.load(source, dtype="fp32")(_photo()).depth.values).max() > 1e-3


@pytest.mark.parametrize(("half", "unit"), [(0, ""), (1, " degrees")], ids=["depth", "normals"])
def test_each_map_must_be_right_in_each_domain(tmp_path, monkeypatch, half, unit):
    right = opening.fold

    def wrong(*args, **asked):
        network = right(*args, **asked)
        network.time[0, DOMAINS.index("object"), half] *= 1.02
        return network

    monkeypatch.setattr(opening, "fold", wrong)
    source = opening.find(_joint_folder(tmp_path / "source"), attention="separate")
    with pytest.raises(
        CheckpointError, match=rf"differs .* by [\de.-]+{unit}, allowed are .* noth"
    ):
        folding.fold(source, tmp_path / "m.safetensors", sizes=SMALL)
    assert not (tmp_path / "m.safetensors").exists()


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param([(40, 56)], id="small"),
        pytest.param(folding.SIZES, id="default", marks=pytest.mark.slow),
    ],
)
@pytest.mark.slow
def test_a_checkpoint_that_makes_much_of_its_input_is_folded(tmp_path, monkeypatch, sizes):
    monkeypatch.setattr(folding, "render", render)
    source = geowizard_folders.write(tmp_path / "source", "geowizard-e2e")
    done = folding.fold(opening.find(source), tmp_path / "m.safetensors", sizes=sizes)
    assert len(done.folded) == 2 * len(sizes)
    assert all(0 < one.largest <= folding.TOLERANCES[one.map] for one in done.folded)
