import json
import shutil
import signal

import killing
import micro_models
import pytest
import tiny_models
import torch
from killing import same_bits
from safetensors.torch import load_file

from monostep.checkpoints import folder
from monostep.errors import CheckpointError, SettingError, TrainingError
from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig
from monostep.recipes import recipe
from monostep.training import loop
from monostep.training.beginning import begin
from monostep.training.overriding import override
from monostep.training.start import train
from monostep.training.state import Progress

SMALL = ("steps=8", "phases=[[0,32,32,1]]", "validation_scenes=1", "scenes=50", "log_every=1")
EVERY = ("validate_every=4", "checkpoint_every=2", "warmup=2")


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory):
    path = tmp_path_factory.mktemp("autoencoder")
    torch.manual_seed(0)
    config = AutoencoderTinyConfig(width=8, encoder_blocks=(0, 0, 1), decoder_blocks=(1, 0, 0))
    folder.save_autoencoder(AutoencoderTiny(config), path, dtype=torch.float32)
    return path


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    return micro_models.write(tmp_path_factory.mktemp("start"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A setting: the scenes that one run draws are those of all, also in processes of their own."""
    return f"cache={tmp_path_factory.mktemp('cache')}"


@pytest.fixture(scope="module")
def config(start, cache):
    """That of the command which `killing` starts."""
    return override(recipe("nano-depth"), [*killing.settings(start), cache])


@pytest.fixture(scope="module")
def whole(tmp_path_factory, config):
    """A run that nothing disturbed."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    assert train(config, run).step == 8
    return run


def test_a_killed_run_resumes_to_the_same_bits(tmp_path, start, cache, config, whole):
    broken = tmp_path / "broken"
    process = killing.begin(broken, start, "--set", cache)
    # a state of step 2 is written, a step after it is under way
    killing.wait(process, broken, lambda: killing.logged(broken) >= 3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert killing.logged(broken) < killing.logged(whole)
    assert train(config, broken, resume=True).step == 8
    same_bits(broken, whole)
    steps = [json.loads(line)["step"] for line in (broken / "log.jsonl").read_text().splitlines()]
    assert sorted(steps) == steps


@pytest.mark.slow
def test_a_run_that_is_asked_to_end_saves_exits_and_resumes_to_the_same_bits(
    tmp_path, start, cache, whole
):
    asked = tmp_path / "asked"
    options = ("--set", "workers=1", "--set", "checkpoint_every=8", "--set", cache)
    process = killing.begin(asked, start, *options)
    killing.wait(process, asked, lambda: killing.logged(asked) >= 1)
    killing.signal_all(process, signal.SIGTERM)  # its workers, too, as a scheduler does
    assert process.wait() == 143
    assert "is saved; --resume goes on" in killing.said(asked).read_text()
    (saved,) = (asked / "states").iterdir()
    assert 1 <= int(saved.stem) < 8
    assert killing.finish(asked, start, "--resume", "--set", cache) == 0
    same_bits(asked, whole)


@pytest.mark.parametrize("name", ["nano-normals", "nano-autoencoder"])
def test_every_recipe_trains_and_keeps_its_result(tmp_path, autoencoder, name):
    settings = [*SMALL, *EVERY, "steps=2"]
    if name == "nano-normals":
        settings.append(f"autoencoder={autoencoder}")
    progress = train(override(recipe(name), settings), tmp_path / "run")
    assert progress.step == 2
    assert progress.best is not None
    kept = tmp_path / "run" / "model"
    if name == "nano-autoencoder":
        folder.load_autoencoder(kept)
    else:
        _, card = folder.load(kept, verify=True)
        assert card.frame == "opengl"
        assert card.recipe["steps"] == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["distil-decoder", pytest.param("distil-finetune", marks=pytest.mark.slow)]
)
def test_a_stopped_distillation_resumes_to_the_same_bits(tmp_path, name):
    teacher = tiny_models.depth_folder(tmp_path / "teacher")
    student = ["start=" + str(teacher)] if name == "distil-finetune" else ["width=8"]
    settings = [*SMALL, "phases=[[0,16,16,1]]", "precision=fp32", "steps=2", "warmup=0"]
    config = override(recipe(name), [*settings, f"teacher={teacher}", *student])
    assert train(config, tmp_path / "whole").step == 2
    assert train(override(config, ["stop=1"]), tmp_path / "parts").step == 1
    assert train(config, tmp_path / "parts", resume=True).step == 2
    whole, parts = (
        load_file(tmp_path / run / "states/00000002.safetensors") for run in ("whole", "parts")
    )
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


def test_the_initial_weights_follow_the_configs_seed_and_nothing_else(
    tmp_path, autoencoder, monkeypatch
):
    weights = []

    def note(task, *_):
        weights.append(task.trained.conv_in.weight.clone())
        return Progress(step=0, best=None)

    monkeypatch.setattr(loop, "run", note)
    for outer, seed in ((1, 0), (2, 0), (1, 7)):
        torch.manual_seed(outer)
        settings = [*SMALL, f"autoencoder={autoencoder}", f"seed={seed}"]
        train(override(recipe("nano-depth"), settings), tmp_path)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_start_that_failed_leaves_no_run_behind(tmp_path, autoencoder):
    config = override(recipe("nano-depth"), [*SMALL, "steps=1", "autoencoder=nowhere"])
    with pytest.raises(CheckpointError, match="nowhere"):
        train(config, tmp_path)
    train(override(config, [f"autoencoder={autoencoder}"]), tmp_path)


def test_a_run_can_stop_early_and_another_start_from_its_last_weights(tmp_path, autoencoder):
    common = [*SMALL, *EVERY, f"autoencoder={autoencoder}"]
    first = override(recipe("nano-depth"), [*common, "stop=3"])
    assert train(first, tmp_path / "first").step == 3
    second = override(recipe("nano-normals"), [*common, f"start={tmp_path / 'first'}"])
    state = load_file(tmp_path / "first" / "states/00000003.safetensors")
    unet = begin(second).model.unet
    assert torch.equal(unet.conv_out.weight, state["weight/conv_out.weight"])
    kept = override(second, [f"start={tmp_path / 'first' / 'model'}"])
    model, _ = folder.load(tmp_path / "first" / "model")
    assert torch.equal(begin(kept).model.prompt, model.prompt)


def test_a_folder_that_holds_a_run_is_not_overwritten(tmp_path, autoencoder):
    small = [*SMALL, "steps=1", f"autoencoder={autoencoder}"]
    config = override(recipe("nano-depth"), small)
    with pytest.raises(TrainingError, match="no run to resume"):
        train(config, tmp_path, resume=True)
    train(config, tmp_path)
    with pytest.raises(TrainingError, match="already holds a run"):
        train(config, tmp_path)
    other = override(config, ["learning_rate=1e-5"])
    with pytest.raises(TrainingError, match=f"learning_rate {config.learning_rate} -> 1e-05"):
        train(other, tmp_path, resume=True)


def test_an_autoencoder_of_another_width_is_named(tmp_path):
    config = AutoencoderTinyConfig(
        width=8, encoder_blocks=(0, 0), decoder_blocks=(0, 0), latent_channels=3
    )
    folder.save_autoencoder(AutoencoderTiny(config), tmp_path, dtype=torch.float32)
    with pytest.raises(SettingError, match="3 latent channels, the UNet expects 4"):
        begin(override(recipe("nano-depth"), [f"autoencoder={tmp_path}"]))


def test_a_base_model_is_trained_and_others_start_from_it(tmp_path, autoencoder, cache):
    base = override(
        recipe("miniature-base"),
        [*SMALL, *EVERY, cache, "steps=2", "warmup=1", "size=nano", f"autoencoder={autoencoder}"],
    )
    train(base, tmp_path / "base")
    model = folder.load_autoencoder(tmp_path / "base" / "model")
    assert model.config.factor == 4
    for name in ("miniature-depth", "miniature-e2e-normals"):
        started = override(recipe(name), [*SMALL, f"start={tmp_path / 'base'}"])
        begun = begin(started)
        unet = load_file(tmp_path / "base/model/unet/diffusion_pytorch_model.safetensors")
        assert begun.model.unet.config.in_channels == 8
        assert torch.equal(begun.model.unet.conv_in.weight[:, :4] * 2, unet["conv_in.weight"])
        assert torch.equal(begun.model.unet.conv_out.weight, unet["conv_out.weight"])


def test_a_run_older_than_a_setting_resumes_with_its_default(tmp_path, config, whole):
    old = tmp_path / "old"
    shutil.copytree(whole, old)
    settings = json.loads((old / "config.json").read_text())
    del settings["zoom"], settings["weights"]
    (old / "config.json").write_text(json.dumps(settings))
    assert train(config, old, resume=True).step == 8
    with pytest.raises(TrainingError, match=r"other settings \(zoom 1.0 -> 2.0\)"):
        train(override(config, ["zoom=2"]), old, resume=True)
