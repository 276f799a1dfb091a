"""The agreement with diffusers that users can repeat with `monostep verify`, on tiny weights."""

import shutil
import warnings
from copy import deepcopy
from functools import cache, partial
from itertools import product

import marigold_folders
import pytest
import rendered_once
import torch
from safetensors.torch import load_file, save_file

from monostep.checkpoints import opening
from monostep.errors import SettingError
from monostep.inspection import diffusers_pipeline
from monostep.inspection import verify as proof

CPU = torch.device("cpu")
SIZES = [(61, 83)]  # and the same reduced; neither is divisible by 8


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders by kind, written when they are first asked for."""
    root = tmp_path_factory.mktemp("folders")

    @cache
    def folder(kind):
        path = marigold_folders.write(root / kind, kind, text_encoder=False)
        prompt = torch.randn(2, 16, generator=torch.Generator().manual_seed(5))
        save_file({"prompt": prompt}, path / "prompt_embedding.safetensors")
        return path

    return folder


@pytest.fixture(autouse=True, scope="module")
def _load_and_render_once():
    """Both take longer than predicting at this size."""
    ours, theirs = opening.load, diffusers_pipeline.load
    known = {}

    def once(load, checkpoint, *args, **asked):
        key = (load, checkpoint.folder, checkpoint.card.task, *asked.values())
        if key not in known:
            known[key] = load(checkpoint, *args, **asked)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "load", partial(once, ours))
        patch.setattr(diffusers_pipeline, "load", partial(once, theirs))
        patch.setattr(proof, "render", rendered_once.render)
        yield


def _verify(folder, sizes=SIZES, *, task=None, frame=None, **asked):
    checkpoint = opening.find(folder, task=task, frame=frame)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # diffusers deprecates and advises at length
        return proof.verify(checkpoint, sizes, device=CPU, **asked)


def _assert_equal(outcomes):
    assert len(outcomes) == 2
    for outcome in outcomes:
        assert outcome.ours.values.shape == outcome.theirs.values.shape
        assert outcome.ours.values.shape[:2] == outcome.case.size
        assert outcome.spread > 0.05, "two constants would agree for nothing"
        assert outcome.difference <= outcome.tolerance, outcome.case
        assert outcome.equal


DEPTH, NORMALS = "marigold-depth-v1-1", "marigold-normals-v0-1"
BY_DEFAULT = {(DEPTH, 1, "trailing"), (NORMALS, 4, "trailing")}


@pytest.mark.parametrize(
    ("kind", "steps", "spacing"),
    [
        pytest.param(*each, marks=[] if each in BY_DEFAULT else [pytest.mark.slow])
        for each in product((DEPTH, NORMALS), (1, 2, 4, 10), ("trailing", "leading"))
    ],
)
def test_one_prediction(folders, kind, steps, spacing):
    outcomes = _verify(folders(kind), steps=steps, spacing=spacing)
    _assert_equal(outcomes)
    assert outcomes[0].tolerance == 1e-4
    assert outcomes[0].case.how.noise == "gaussian"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("members", "spacing"),
    [
        (3, "trailing"),
        pytest.param(3, "leading", marks=pytest.mark.slow),
        pytest.param(5, "trailing", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("kind", ["marigold-depth-v1-0", "marigold-normals-v1-1"])
def test_ensembles(folders, kind, spacing, members):
    outcomes = _verify(folders(kind), steps=2, spacing=spacing, ensemble=members)
    _assert_equal(outcomes)
    assert outcomes[0].tolerance == 1e-3


@pytest.mark.parametrize(
    ("steps", "members"), [pytest.param(1, 1, marks=pytest.mark.slow), (4, 1), (2, 3)]
)
@pytest.mark.slow
def test_consistency_models_with_their_fresh_noise(folders, steps, members):
    _assert_equal(_verify(folders("marigold-lcm"), steps=steps, ensemble=members))


@pytest.mark.parametrize(
    ("kind", "task", "frame"),
    [("e2e-depth", "depth", None), ("e2e-normals", "normals", "dsine")],
)
def test_end_to_end_models_from_zeros(folders, kind, task, frame):
    outcomes = _verify(folders(kind), task=task, frame=frame)
    _assert_equal(outcomes)
    assert (outcomes[0].case.how.noise, outcomes[0].case.how.steps) == ("zeros", 1)


def test_a_model_inside_the_package():
    _assert_equal(_verify("nano-depth", [(64, 96)]))


def test_it_says_when_the_two_differ(folders, monkeypatch):
    folder, load = folders("marigold-depth-v1-1"), opening.load

    def damaged(checkpoint):
        network = deepcopy(load(checkpoint))
        network.vae.decoder.conv_out.bias.data += 0.01
        return network

    monkeypatch.setattr(opening, "load", damaged)
    outcomes = _verify(folder, [(64, 96)])
    assert not any(outcome.equal for outcome in outcomes)
    assert outcomes[0].difference > 1e-3


def test_nan_is_equal_to_nothing(folders):
    (first, *_) = _verify(folders("marigold-depth-v1-1"), [(64, 96)], steps=1)
    first.ours.values[0, 0, 0] = torch.nan
    assert not first.equal


@pytest.mark.slow
def test_time_and_memory_of_both_sides_are_told(folders):
    (first, *_) = _verify(folders("marigold-depth-v1-1"), [(64, 96)])
    for side in (first.ours, first.theirs):
        assert side.seconds > 0
        assert side.peak_bytes is None or side.peak_bytes > 2**20


def test_what_diffusers_has_no_pipeline_for_is_refused(folders):
    with pytest.raises(SettingError, match="4-channel"):
        _verify(folders("e2e-depth-4-channels"), task="depth")
    with pytest.raises(SettingError, match="zeros and gaussian"):
        _verify(folders("marigold-depth-v1-1"), noise="pyramid")


def test_constants_that_agree_prove_nothing(folders, monkeypatch):
    def saturated(load, checkpoint, *args, **asked):
        network = deepcopy(load(checkpoint, *args, **asked))
        network.vae.decoder.conv_out.bias.data += 9
        return network

    for module in (opening, diffusers_pipeline):
        monkeypatch.setattr(module, "load", partial(saturated, module.load))
    for outcome in _verify(folders("marigold-depth-v1-1")):
        assert outcome.difference <= outcome.tolerance
        assert not outcome.equal


def test_a_picture_of_a_pixel_is_compared_at_its_own_size_only(folders):
    (outcome,) = _verify(folders("marigold-normals-v0-1"), [(1, 1)])
    assert outcome.difference <= outcome.tolerance


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["fp16.safetensors", "bin"])
def test_diffusers_reads_the_same_files(folders, tmp_path, ending):
    folder = tmp_path / "d"
    shutil.copytree(folders("marigold-depth-v1-0"), folder)
    for part in ("unet", "vae"):
        (file,) = (folder / part).glob("*.safetensors")
        tensors = load_file(file)
        file.unlink()
        target = folder / part / f"diffusion_pytorch_model.{ending}"
        torch.save(tensors, target) if ending == "bin" else save_file(
            {name: tensor.half() for name, tensor in tensors.items()}, target
        )
    _assert_equal(_verify(folder))
