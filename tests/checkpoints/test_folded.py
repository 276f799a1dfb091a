import dataclasses
import json
import os
import subprocess
import sys

import joint_models
import pytest
import shaken_models
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from shaken_models import SMALL_UNET

from monostep.checkpoints import dimensions, folded, weights
from monostep.checkpoints.card import Card, tensor_hash
from monostep.device import DTYPES
from monostep.errors import CheckpointError, OutputError
from monostep.feedforward.fold import fold
from monostep.feedforward.int8 import quantise
from monostep.feedforward.layers import Weighted
from monostep.feedforward.network import cast

DEPTH = Card(
    name="shaken", task="depth", quantity="depth", invariance="affine", scores={"test": {"x": 0.5}}
)
NORMALS = Card(name="shaken", task="normals", frame="opengl")


def _network(kind="tiny", *, card=DEPTH, only="clean", times=(999,), **asked):
    model = shaken_models.model(kind, unet=SMALL_UNET, **asked)
    return fold(model, channels=1 if card.task == "depth" else 3, times=times, only=only)


def _map(network, size=(32, 40)):
    image = shaken_models.picture(*size).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        return network(image)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A folded file, not to be written in."""
    path = tmp_path_factory.mktemp("folded") / "m.safetensors"
    folded.save(_network(), DEPTH, path)
    return path


def _metadata(path):
    with safe_open(path, framework="pt") as opened:
        return opened.metadata()


def _rewritten(file, path, *, said=None, tensors=None):
    """The file again with other words in its card, or other tensors."""
    old = json.loads(_metadata(file)[folded.KEY])
    metadata = {folded.KEY: json.dumps(old if said is None else said(old))}
    save_file(load_file(file) if tensors is None else tensors(load_file(file)), path, metadata)
    return path


CARD_OF = {  # by default each precision with each kind, and each kind with each task
    ("fp32", "kl"): DEPTH,
    ("fp32", "tiny"): NORMALS,
    ("bf16", "kl"): NORMALS,
    ("bf16", "tiny"): DEPTH,
    ("fp16", "kl"): DEPTH,
    ("fp16", "tiny"): NORMALS,
    ("int8", "kl"): NORMALS,
    ("int8", "tiny"): DEPTH,
}


@pytest.mark.parametrize(
    ("stored", "kind", "card"),
    [
        pytest.param(
            *(*each, card),
            marks=[] if CARD_OF[each] is card else [pytest.mark.slow],
            id="-".join((*each, card.task)),
        )
        for each in CARD_OF
        for card in (DEPTH, NORMALS)
    ],
)
def test_what_is_loaded_is_what_was_saved_to_the_bit(tmp_path, stored, kind, card):
    network = _network(kind, card=card)
    network = quantise(network) if stored == "int8" else cast(network, DTYPES[stored])
    path = tmp_path / "m.safetensors"
    written = folded.save(network, card, path)
    assert written == dataclasses.replace(card, tensor_hash=tensor_hash(load_file(path)))
    assert folded.read_card(path) == written
    folded.check_hash(path, written)
    loaded = folded.load(path)
    before, after = network.state_dict(), loaded.state_dict()
    assert before.keys() == after.keys()
    for name, tensor in after.items():
        assert tensor.dtype == before[name].dtype
        assert torch.equal(tensor, before[name]), name
    assert [name for name, _ in loaded.named_buffers()] == [
        name for name, _ in network.named_buffers()
    ]
    assert loaded.dimensions == network.dimensions
    assert loaded.times == network.times
    assert not loaded.training
    assert torch.equal(_map(loaded), _map(network))


@pytest.mark.parametrize("sampler", ["ddim", "lcm"])
@pytest.mark.parametrize("only", [None, "previous"])
def test_schedule_and_times_come_back(tmp_path, only, sampler):
    times = (999, 499) if only is None else (999,)
    network = _network(only=only, times=times, sampler=sampler, tokens=77)
    folded.save(network, DEPTH, tmp_path / "m.safetensors")
    loaded = folded.load(tmp_path / "m.safetensors")
    assert (loaded.times, loaded.sees_noise, loaded.prompt_tokens) == (times, only is None, 77)
    assert loaded.clock is None
    for ours, theirs in (
        (loaded.schedule, network.schedule),
        (loaded.original_schedule, network.original_schedule),
    ):
        assert (ours.target, ours.sampler) == (theirs.target, theirs.sampler)
        assert torch.equal(ours.alpha_bar, theirs.alpha_bar)


def test_saving_a_network_that_was_used_saves_the_plain_weights(file, tmp_path):
    network = _network()
    _map(network)
    path = tmp_path / "m.safetensors"
    assert folded.save(network, DEPTH, path).tensor_hash == folded.read_card(file).tensor_hash


def test_another_precision_may_be_asked_for(file):
    loaded = folded.load(file, dtype=torch.bfloat16)
    assert loaded.dtype == torch.bfloat16
    assert loaded.decoder.out.weight.dtype == torch.float32
    expected = _map(folded.load(file))
    assert (_map(loaded) - expected).abs().mean() < 0.1 * expected.std()


FRESH = """
import json, sys
from pathlib import Path
import numpy, monostep
from monostep.checkpoints import folded
network = folded.load(Path(sys.argv[1]))
maps, places = Path("/proc/self/maps"), {}
for line in maps.read_text().splitlines() if maps.exists() else []:
    if line.endswith(sys.argv[1]):
        start, end = (int(x, 16) for x in line.split()[0].split("-"))
        places[start] = end
weights = [w for w in network.state_dict().values() if w.ndim == 4]
inside = [any(a <= w.data_ptr() < b for a, b in places.items()) for w in weights]
photo = numpy.zeros((16, 24, 3), dtype="uint8")
depth = monostep.load(sys.argv[1])(photo)
assert depth.values.shape == (16, 24)
geometry = monostep.load(sys.argv[2])(photo, domain="outdoor")
assert geometry.depth.values.shape == (16, 24)
assert geometry.normals.values.shape == (16, 24, 3)
heavy = {"diffusers", "transformers", "scipy", "accelerate", "huggingface_hub"}
said = dict(weights=len(inside), inside=sum(inside), heavy=sorted(heavy & set(sys.modules)))
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def fresh(file, tmp_path_factory):
    """What a process of its own says of the file, and of one of depth and normals together."""
    joint = tmp_path_factory.mktemp("folded") / "joint.safetensors"
    unet = dataclasses.replace(SMALL_UNET, classes=10, joint=True)
    network = fold(joint_models.model(unet=unet), channels=3, times=(999,), only="clean")
    folded.save(network, joint_models.CARD, joint)
    command = [sys.executable, "-c", FRESH, str(file), str(joint)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_weights_stay_in_the_file_until_they_are_used(fresh):
    last = 1  # the decoder's last layer is made float32, which it is already
    assert fresh["weights"] > 20
    assert fresh["inside"] >= fresh["weights"] - last


def test_predicting_from_a_file_needs_no_heavy_package(fresh):
    assert fresh["heavy"] == []


def _without(values, name):
    return {key: value for key, value in values.items() if key != name}


NETWORK = folded.NETWORK
UNET_OF_TEN = dimensions.unet_to_json(dataclasses.replace(SMALL_UNET, classes=10))
CARDS = {
    "no network": (lambda said: _without(said, NETWORK), "no folded model"),
    "no object": (lambda _: [1], "no folded model"),
    "newer": (lambda said: said | {"format": 99}, "card format 99: this version knows"),
    "task": (lambda said: said | {"task": "edges"}, "card: task 'edges'; expected depth"),
    "unknown entry": (lambda said: said | {"colour": 1}, "card: .*colour"),
    "no unet": (lambda said: said | {NETWORK: _without(said[NETWORK], "unet")}, "'unet'"),
    "classes": (lambda said: said | {NETWORK: said[NETWORK] | {"unet": UNET_OF_TEN}}, "classes 10"),
    "ends": (lambda said: said | {NETWORK: said[NETWORK] | {"ends": "never"}}, "ends 'never'"),
    "times": (lambda said: said | {NETWORK: said[NETWORK] | {"times": ["x"]}}, "invalid literal"),
    "unet": (lambda said: said | {NETWORK: said[NETWORK] | {"unet": None}}, "does not describe"),
    "schedule": (lambda said: said | {NETWORK: said[NETWORK] | {"schedule": []}}, "not describe"),
}


@pytest.mark.parametrize(("said", "words"), CARDS.values(), ids=CARDS)
def test_a_card_that_says_something_else_is_refused_in_one_line(file, tmp_path, said, words):
    path = _rewritten(file, tmp_path / "other.safetensors", said=said)
    with pytest.raises(CheckpointError, match=words) as caught:
        folded.load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_card_for_another_network_is_refused(file, tmp_path):
    def wider(said):
        said[NETWORK]["prompt_tokens"] = 3
        return said

    path = _rewritten(file, tmp_path / "other.safetensors", said=wider)
    with pytest.raises(CheckpointError, match=r"weight .*prompt.* is (missing|unknown)"):
        folded.load(path)


NAME = "unet.image.weight"
TENSORS = {
    "missing": (lambda held: _without(held, NAME), f"weight {NAME} is missing"),
    "unknown": (lambda held: held | {"extra": torch.zeros(1)}, "weight extra is unknown"),
    "scale": (lambda held: held | {"x.scale": torch.zeros(1)}, "weight x.scale is unknown"),
    "shape": (
        lambda held: held | {NAME: held[NAME][:, :3].contiguous()},
        r"unet.image.weight is real of shape \(16, 3, 3, 3\), expected real of shape \(16, 4, 3",
    ),
    "whole numbers": (lambda held: held | {NAME: held[NAME].to(torch.int8)}, "is int8 of shape"),
    "scale alone": (
        lambda held: held | {"unet.image.scale": torch.ones(16, 1, 1, 1)},
        "unet.image.weight is real of shape .* expected int8",
    ),
}


@pytest.mark.parametrize(("tensors", "words"), TENSORS.values(), ids=TENSORS)
def test_weights_of_another_network_are_refused_in_one_line(file, tmp_path, tensors, words):
    path = _rewritten(file, tmp_path / "other.safetensors", tensors=tensors)
    with pytest.raises(CheckpointError, match=words) as caught:
        folded.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("read", [folded.load, folded.read_card])
def test_what_is_no_folded_file_is_refused_in_one_line(file, tmp_path, read):
    half, plain, other = (tmp_path / f"{name}.safetensors" for name in ("half", "plain", "other"))
    half.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    save_file({"a": torch.zeros(3)}, plain)
    other.write_text("no safetensors at all")
    for path, words in [
        (tmp_path / "none.safetensors", "no such file"),
        (half, "not a whole safetensors file"),
        (plain, "no folded model: its metadata have no 'monostep'"),
        (other, "not a whole safetensors file"),
    ]:
        with pytest.raises(CheckpointError, match=words) as caught:
            read(path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)


def test_a_weight_that_changed_is_found_by_the_hash(file, tmp_path):
    def changed(held):
        held[NAME].view(-1)[0] += 1
        return held

    path = _rewritten(file, tmp_path / "other.safetensors", tensors=changed)
    with pytest.raises(CheckpointError, match="do not match the card's hash"):
        folded.check_hash(path, folded.read_card(path))


def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "m.safetensors"
    path.write_text("before")

    def full(tensors, target, metadata):
        save_file(dict(list(tensors.items())[:3]), target, metadata)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(weights, "save_file", full)
    with pytest.raises(OutputError, match="No space left on device"):
        folded.save(_network(), DEPTH, path)
    assert [each.name for each in tmp_path.iterdir()] == ["m.safetensors"]
    assert path.read_text() == "before"


def test_what_the_library_cannot_write_is_one_line(tmp_path, monkeypatch):
    def lost(tensors, target, metadata):
        save_file(tensors, target / "below", metadata)

    monkeypatch.setattr(weights, "save_file", lost)
    with pytest.raises(
        OutputError, match=r"m.safetensors: cannot be written \(I/O error"
    ) as caught:
        folded.save(_network(), DEPTH, tmp_path / "m.safetensors")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("count", [1, 10**9])
def test_weights_that_stay_in_the_file_predict_the_same(tmp_path, monkeypatch, count):
    monkeypatch.setattr(folded, "LARGE", 1000)
    path = tmp_path / "m.safetensors"
    folded.save(_network(), DEPTH, path)
    lean = folded.load(path, leave=count)
    absent = [each for each in lean.modules() if isinstance(each, Weighted) and each.weight is None]
    assert len(absent) == 1 if count == 1 else len(absent) > 10
    picture = torch.rand(1, 3, 32, 48) * 2 - 1
    with torch.inference_mode():
        wanted = folded.load(path)(picture)
        torch.testing.assert_close(lean(picture), wanted, rtol=1e-5, atol=1e-5)
    os.utime(path, ns=(1, 1))
    with pytest.raises(CheckpointError, match="changed or removed while in use"):
        folded.load(path, leave=0) and lean(picture)
