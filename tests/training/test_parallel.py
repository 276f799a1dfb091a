import shutil
from functools import cache

import micro_models
import pytest
import torch
from constant_task import ALONE, ConstantTask
from numbered import config
from safetensors.torch import load_file
from two_processes import gradients, gradients_job, together, train_job

from monostep.checkpoints import folder
from monostep.errors import SettingError
from monostep.recipes import recipe
from monostep.training import parallel, state
from monostep.training.overriding import override
from monostep.training.start import train
from monostep.training.world import World

LAST = "states/00000002.safetensors"
MODEL = "model/unet/diffusion_pytorch_model.safetensors"
SHARD = "shard=true"
SHARDS = ("shard=false", SHARD)
SPLITS = {"whole": "accumulate=2", "sliced": "accumulate=1"}


def _settings(start, *others):
    small = ["phases=[[0,24,24,2]]", "steps=2", "scenes=50", "warmup=0", "learning_rate=2.5e-4"]
    often = ["checkpoint_every=1", "validate_every=2", "validation_scenes=3", "pictures=2"]
    also = ["precision=fp32", "device=cpu", "average=0.5", "accumulate=2", "seed=2"]
    return [f"start={start}", *small, *often, *also, *others]


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """As the two have: another number rounds otherwise."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _one(start, *others):
    return override(recipe("nano-depth"), _settings(start, *others))


def _both(place, name, *others, resume=False):
    settings = _settings(place / "start", *others)
    return train_job("nano-depth", settings, place / name, resume=resume)


def _do(place, *jobs):
    said = together(place / "work", *jobs, timeout=500)
    wrong = [each for each in said if any(isinstance(one, dict) for one in each)]
    assert not wrong, wrong
    return said


def _gradients(place, split):
    """Jobs of both ways to hold the weights; slices in float64, where order makes no difference."""
    double = split == "sliced"
    return [
        gradients_job(
            _settings(place / "start", SPLITS[split], shard),
            place / f"{split}-{shard}.pt",
            double=double,
        )
        for shard in SHARDS
    ]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A run of one process, and one that began on two and ended on one."""
    place = tmp_path_factory.mktemp("runs")
    start = micro_models.write(place / "start")
    train(_one(start), place / "one")
    said = _do(
        place,
        _both(place, "shared-then-one", SHARD, "stop=1"),
        {"job": "measured", "settings": _settings(start, SHARD)},
        *_gradients(place, "sliced"),
    )
    shutil.copytree(place / "shared-then-one", place / "shared")
    train(_one(start), place / "shared-then-one", resume=True)
    (place / "measured").write_text(str(said[1][0]))
    return place


@pytest.fixture(scope="module")
def expected(place):
    """The gradients of one process, by split."""

    @cache
    def gradients_of_one(split):
        settings = _settings(place / "start", SPLITS[split])
        return gradients(settings, ALONE, double=split == "sliced")[0]

    return gradients_of_one


@pytest.fixture(scope="module")
def more(place):
    """Two to the end, the other ways to go on, and other recipes whose weights can be shared."""
    for name in ("one-then-shared", "one-then-two"):
        train(_one(place / "start", "stop=1"), place / name)
    shutil.copytree(place / "shared", place / "shared-then-shared")
    codec = [f"teacher={place / 'start'}", "width=8", SHARD, "phases=[[0,24,24,2]]", "steps=2"]
    codec += ["validation_scenes=3", "warmup=0", "precision=fp32", "device=cpu"]
    codec += ["encoder_blocks=1,1", "decoder_blocks=1,1"]
    _do(
        place,
        _both(place, "two"),
        *_gradients(place, "whole"),
        _both(place, "one-then-two", resume=True),
        _both(place, "one-then-shared", SHARD, resume=True),
        _both(place, "shared-then-shared", SHARD, resume=True),
        _both(place, "decoder", SHARD, "train_decoder=true"),
        train_job("distil-decoder", codec, place / "codec"),
    )
    return place


def _last(run):
    """The last weights of a run, whatever wrote them; its result has their average."""
    unet = folder.load(run / "model")[0].unet
    state.load_weights(run, unet)
    return unet.state_dict()


def _distance(ours, theirs):
    """Relative, of all tensors as one vector."""
    assert ours.keys() == theirs.keys()
    difference = sum((ours[k].double() - theirs[k].double()).square().sum() for k in ours)
    return (difference / sum(theirs[k].double().square().sum() for k in theirs)).sqrt().item()


@pytest.mark.parametrize("shard", SHARDS)
def test_gradients_of_slices_are_those_of_one_process(place, expected, shard):
    assert _distance(torch.load(place / f"sliced-{shard}.pt"), expected("sliced")) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("shard", SHARDS)
def test_gradients_of_whole_micro_batches_are_those_of_one_process(more, expected, shard):
    assert _distance(torch.load(more / f"whole-{shard}.pt"), expected("whole")) < 1e-6


def test_a_run_that_began_on_two_processes_ends_on_one_with_the_weights_of_one(place):
    assert _distance(_last(place / "shared-then-one"), _last(place / "one")) < 1e-6


@pytest.mark.slow
def test_the_result_of_two_processes_is_that_of_one(more):
    assert _distance(_last(more / "two"), _last(more / "one")) < 1e-6
    assert _distance(load_file(more / "two" / MODEL), load_file(more / "one" / MODEL)) < 1e-6


def test_weights_are_spread_again_after_a_pass_without_backward(place):
    gathered, spread_again = map(int, (place / "measured").read_text()[1:-1].split(","))
    assert gathered > 0
    assert spread_again == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["one-then-two", "one-then-shared", "shared-then-shared"])
def test_a_run_goes_on_with_another_number_of_processes(more, name):
    assert _distance(_last(more / name), _last(more / "one")) < 1e-6


def test_states_of_shared_weights_are_folders(place):
    assert [path.name for path in (place / "shared/states").iterdir()] == ["00000001"]


@pytest.mark.slow
def test_states_of_copied_weights_are_files(more):
    ours, theirs = (load_file(more / name / LAST) for name in ("two", "one"))
    assert _distance(ours, theirs) < 1e-6


def test_the_result_of_shared_weights_loads(place):
    model, card = folder.load(place / "shared" / "model", verify=True)
    assert card.recipe["shard"] is True
    assert all(parameter.isfinite().all() for parameter in model.parameters())


@pytest.mark.slow
def test_other_networks_can_be_shared_out(more):
    folder.load(more / "decoder" / "model", verify=True)
    folder.load(more / "codec" / "model", verify=True)


@pytest.mark.filterwarnings("default")
def test_the_result_of_shared_weights_loads_in_diffusers(place):
    from diffusers import UNet2DConditionModel

    unet = UNet2DConditionModel.from_pretrained(place / "shared/model/unet")
    stored = load_file(place / "shared" / MODEL)
    assert all(torch.equal(value, stored[name]) for name, value in unet.state_dict().items())


def test_a_broken_shared_state_is_passed_over(place, tmp_path, capsys):
    run = shutil.copytree(place / "shared", tmp_path / "run")
    shutil.copytree(run / "states/00000001", run / "states/00000002")
    part = next((run / "states/00000002").glob("*.distcp"))
    part.write_bytes(part.read_bytes()[:200])
    assert train(_one(place / "start"), run, resume=True).step == 2
    assert "states/00000002: broken, passed over" in capsys.readouterr().err


class Following(ConstantTask):
    """Has a network of its own that follows the weights."""

    @property
    def carried(self):
        return {"target": self.trained}


def test_what_cannot_be_shared_out_is_refused():
    pair = World(device=torch.device("cpu"), size=2)
    with pytest.raises(SettingError, match="start several with torchrun"):
        parallel.spread(ConstantTask(), config("shard=true"), ALONE)
    with pytest.raises(SettingError, match="adamw8bit, which needs whole weights"):
        parallel.spread(ConstantTask(), config("shard=true", "optimiser=adamw8bit"), pair)
    with pytest.raises(SettingError, match="with an autoencoder"):
        autoencoder = override(recipe("nano-autoencoder"), ["shard=true"])
        parallel.spread(ConstantTask(), autoencoder, pair)
    with pytest.raises(SettingError, match="with a network of its own"):
        parallel.spread(Following(), config("shard=true"), pair)
