import dataclasses
import shutil
from functools import cache

import drawn_scenes
import micro_models
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import monostep
from monostep.checkpoints import folded, opening
from monostep.data.procedural.render import render
from monostep.data.splits import SEEDS
from monostep.device import DTYPES
from monostep.errors import CheckpointError, InputError, SettingError
from monostep.feedforward.int8 import quantise
from monostep.feedforward.network import cast
from monostep.inspection import folding
from monostep.metrics.normals import angle_deg
from monostep.predictor import Predictor

CPU = torch.device("cpu")
SMALL = ((24, 32), (20, 28))  # of the second, the UNet's maps have odd sides


@pytest.fixture(scope="module")
def micro(tmp_path_factory):
    """Model folders by kind, written when they are first asked for."""
    root = tmp_path_factory.mktemp("micro")

    def folder(kind="depth", **asked):
        path = root / "-".join([kind, *(f"{name}{value}" for name, value in asked.items())])
        return path if path.is_dir() else micro_models.write(path, kind, **asked)

    return folder


@pytest.fixture(autouse=True)
def _drawn(monkeypatch):
    monkeypatch.setattr(folding, "render", drawn_scenes.render)


def _photo(height=30, width=50):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _fold(source, file, **asked):
    return folding.fold(opening.find(source), file, sizes=SMALL, **asked)


def _predict(source, dtype="fp32", **asked):
    return monostep.load(source, dtype=dtype)(_photo(), **asked).values


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("depth", {}),
        ("depth", {"kl": True}),
        ("depth", {"inputs": 4}),
        ("normals", {}),
        ("diffusion-normals", {"kl": True}),
    ],
)
def test_a_folded_file_predicts_what_its_checkpoint_predicts(micro, tmp_path, kind, asked):
    source, file = micro(kind, **asked), tmp_path / "m.safetensors"
    done = _fold(source, file)
    assert (done.file, done.dtype, done.stored) == (file, "fp32", ())
    assert [one.size for one in done.folded] == list(SMALL)
    assert all(0 < one.largest <= folding.TOLERANCES[done.card.task] for one in done.folded)
    assert all(one.mean <= one.largest for one in done.folded)
    assert folded.read_card(file) == done.card
    assert folded.load(file).dimensions.ends == done.card.last
    expected = _predict(source)
    assert expected.std() > 0.01
    np.testing.assert_allclose(_predict(file), expected, atol=1e-4)


def test_four_steps_are_folded_for_four_steps(micro, tmp_path):
    source, file = micro("diffusion-normals"), tmp_path / "m.safetensors"
    asked = dict(steps=4, noise="gaussian", last="clean")
    done = _fold(source, file, asked=asked)
    assert (done.card.steps, done.card.noise, done.card.last) == (4, "gaussian", "clean")
    assert len(folded.load(file).times) == 4
    for more in ({}, dict(ensemble=2, seed=3)):
        expected = _predict(source, **asked, **more)
        np.testing.assert_allclose(_predict(file, **more), expected, atol=1e-3)
    with pytest.raises(SettingError, match=r"timesteps 666, .* folded for 999, 749.* fold its"):
        _predict(file, steps=3)


def test_what_was_not_folded_is_refused_with_a_cure(micro, tmp_path):
    file = tmp_path / "m.safetensors"
    _fold(micro(), file)
    model = monostep.load(file)
    for asked, words in [
        ({"steps": 2}, "steps 2, noise zeros: .*folded so"),
        ({"noise": "gaussian"}, "noise gaussian: .*folded so"),
        ({"last": "previous"}, "last 'previous': this model was folded for 'clean'"),
        ({"spacing": "leading"}, "timesteps 1: this file was folded for 999"),
    ]:
        with pytest.raises(SettingError, match=words) as caught:
            model(_photo(), **asked)
        assert "\n" not in str(caught.value)


def test_the_card_keeps_what_it_said(micro, tmp_path):
    source = opening.find(micro("diffusion-normals")).card
    card = _fold(micro("diffusion-normals"), tmp_path / "m.safetensors").card
    assert card == dataclasses.replace(source, tensor_hash=card.tensor_hash)
    assert card.tensor_hash != source.tensor_hash


@pytest.fixture(scope="module")
def plain(micro, tmp_path_factory):
    """The depth model folded in float32, by itself."""
    file = tmp_path_factory.mktemp("plain") / "m.safetensors"
    folded.save(opening.fold(opening.find(micro()), only="clean"), opening.find(micro()).card, file)
    return file


@pytest.mark.parametrize("dtype", ["bf16", "fp16", "int8"])
def test_reduced_precision_is_written_and_measured(micro, plain, tmp_path, dtype):
    file = tmp_path / "m.safetensors"
    done = _fold(micro(), file, dtype=dtype)
    assert done.dtype == dtype
    assert all(0 < one.mean <= folding.REDUCED["depth"] for one in done.stored)
    assert file.stat().st_size < plain.stat().st_size
    assert folded.load(file).dtype == DTYPES.get(dtype, torch.float32)
    values = monostep.load(file, dtype="fp32" if dtype == "int8" else dtype)(_photo()).values
    np.testing.assert_allclose(values, _predict(plain), atol=0.1)


@pytest.mark.parametrize("bare", [False, True], ids=["model folder", "bare folder"])
def test_another_codec_is_folded_in(micro, tmp_path, bare):
    source, codec = micro(kl=True), micro()
    mixed = shutil.copytree(source, tmp_path / "mixed")
    shutil.rmtree(mixed / "vae")
    shutil.copytree(codec / "vae", mixed / "vae")
    (mixed / "card.json").write_bytes((codec / "card.json").read_bytes())
    file = tmp_path / "m.safetensors"
    done = _fold(source, file, codec=codec / "vae" if bare else codec)
    assert done.card.scores == {}  # which were of another model
    assert done.card.source["codec"] == ("vae" if bare else codec.name)
    assert folded.load(file).dimensions.autoencoder == opening.load(opening.find(codec)).vae.config
    unfolded = opening.load(opening.find(source))
    unfolded.vae = opening.load(opening.find(codec)).vae
    expected = Predictor(unfolded, done.card, device=CPU, dtype=torch.float32)(_photo()).values
    np.testing.assert_allclose(_predict(file), expected, atol=1e-4)


def test_a_codec_of_another_kind_is_refused(micro, tmp_path):
    with pytest.raises(CheckpointError, match="holds an AutoencoderKL"):
        _fold(micro(), tmp_path / "m.safetensors", codec=micro(kl=True))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["depth", "normals"])
def test_a_fold_that_is_wrong_writes_nothing(micro, tmp_path, monkeypatch, kind):
    right = opening.fold

    def wrong(*args, **asked):
        network = right(*args, **asked)
        with torch.no_grad():
            network.unet.out.conv.bias.add_(0.5)
        return network

    monkeypatch.setattr(opening, "fold", wrong)
    unit = {"depth": "", "normals": " degrees"}[kind]
    words = rf"micro-{kind}: the folded form differs .* by [\d.]+{unit}, allowed are .*nothing was"
    with pytest.raises(CheckpointError, match=words):
        _fold(micro(kind), tmp_path / "m.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_precision_that_is_too_coarse_writes_nothing(micro, tmp_path, monkeypatch):
    monkeypatch.setitem(folding.REDUCED, "depth", 0.0)
    with pytest.raises(CheckpointError, match=r"stored as bf16 it is off, on average, by .* 0; "):
        _fold(micro(), tmp_path / "m.safetensors", dtype="bf16")
    assert list(tmp_path.iterdir()) == []


def test_a_difference_that_is_no_number_is_too_large():
    card = opening.find("nano-depth").card
    near, far = (
        folding.Difference(map="depth", size=(1, 1), largest=value, mean=value)
        for value in (0.0, float("nan"))
    )
    for differences in ([near, far], [far, near]):
        with pytest.raises(CheckpointError, match="by nan"):
            folding._check(differences, {"depth": 1.0}, card, "off by")
    folding._check([near], {"depth": 0.0}, card, "off by")


@pytest.mark.parametrize(
    ("name", "asked", "words"),
    [
        ("m.bin", {}, "m.bin: expected a name that ends in .safetensors"),
        ("m", {}, "expected a name that ends in .safetensors"),
        ("m.safetensors", {"dtype": "fp8"}, "dtype 'fp8': choose fp32, bf16, fp16, int8"),
        ("m.safetensors", {"dtype": "auto"}, "dtype 'auto': choose"),
        ("m.safetensors", {"asked": {"noise": "pink"}}, "noise 'pink': choose"),
        ("m.safetensors", {"asked": {"steps": 0}}, "steps 0: expected"),
    ],
)
def test_a_mistake_shows_before_any_work(micro, tmp_path, name, asked, words):
    with pytest.raises(SettingError, match=words):
        _fold(micro(), tmp_path / name, **asked)


def test_a_folded_file_is_not_folded_again(micro, tmp_path):
    _fold(micro(), tmp_path / "m.safetensors")
    with pytest.raises(CheckpointError, match="feed-forward form, which only predicts"):
        _fold(tmp_path / "m.safetensors", tmp_path / "n.safetensors")


def test_overflow_in_half_precision_is_said(micro, tmp_path):
    source = shutil.copytree(micro(), tmp_path / "large")
    (weights,) = (source / "unet").glob("*.safetensors")
    tensors = load_file(weights)
    tensors["conv_in.weight"] *= 1e6
    save_file(tensors, weights)
    with pytest.raises((InputError, CheckpointError), match="not finite"):
        _fold(source, tmp_path / "m.safetensors", dtype="fp16")
    assert not (tmp_path / "m.safetensors").exists()


@cache
def _nano(name, precision, size):
    """What an embedded model makes of one scene."""
    picture = render(SEEDS["test"], [3], size).image[0]
    found = opening.find(name)
    network = opening.fold(found)
    if precision == "int8":
        network = quantise(network)
    elif precision == "all bf16":
        network = network.to(torch.bfloat16)
    else:
        network = cast(network, DTYPES[precision])
    model = Predictor(network, found.card, device=CPU, dtype=network.dtype)
    return model(picture, resolution=0).tensor


@pytest.mark.slow
def test_depth_in_sixteen_bits_has_no_bands():
    single, mixed, half = (
        len(_nano("nano-depth", each, (192, 256)).unique()) for each in ("fp32", "bf16", "all bf16")
    )
    assert mixed > 100 * 256
    assert mixed > 0.9 * single
    assert half < 0.1 * mixed  # what the last layer in float32 is for


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["bf16", "fp16", "int8"])
def test_the_embedded_models_hardly_change_in_few_bits(precision):
    size = (96, 128)
    off = (_nano("nano-depth", precision, size) - _nano("nano-depth", "fp32", size)).abs()
    assert 0 < off.mean() < 0.004
    normals = (_nano("nano-normals", each, size)[None] for each in (precision, "fp32"))
    assert 0 < angle_deg(*normals).mean() < 0.8
