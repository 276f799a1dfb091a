import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny_models
import torch
from safetensors.torch import load_file

from monostep.checkpoints import folder
from monostep.errors import CheckpointError, SettingError, TrainingError
from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig
from monostep.recipes import recipe
from monostep.training.loop import STATE
from monostep.training.overriding import override
from monostep.training.start import new_model, train

SMALL = ("steps=8", "phases=[[0,32,32,1]]", "validation_scenes=1", "scenes=50", "log_every=1")
EVERY = ("validate_every=4", "checkpoint_every=2", "warmup=2")


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory):
    path = tmp_path_factory.mktemp("autoencoder")
    torch.manual_seed(0)
    config = AutoencoderTinyConfig(width=8, encoder_blocks=(0, 0, 1), decoder_blocks=(1, 0, 0))
    folder.save_autoencoder(AutoencoderTiny(config), path, dtype=torch.float32)
    return path


def _command(run: Path, autoencoder: Path, *options: str) -> list[str]:
    settings = [*SMALL, *EVERY, f"autoencoder={autoencoder}"]
    sets = [part for setting in settings for part in ("--set", setting)]
    command = [sys.executable, "-m", "monostep", "train", "nano-depth", "-o", str(run)]
    return [*command, *sets, *options]


def _logged(run: Path) -> int:
    path = run / "log.jsonl"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_a_killed_run_resumes_to_the_same_bits(tmp_path, autoencoder):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    subprocess.run(_command(whole, autoencoder), env=environment, check=True, capture_output=True)
    process = subprocess.Popen(
        _command(broken, autoencoder), env=environment, stderr=subprocess.DEVNULL
    )
    while _logged(broken) < 3:  # a state of step 2 is written, a step after it is under way
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert _logged(broken) < _logged(whole)
    resume = _command(broken, autoencoder, "--resume")
    subprocess.run(resume, env=environment, check=True, capture_output=True)
    for name in ("state.safetensors", "model/unet/diffusion_pytorch_model.safetensors"):
        ours, theirs = load_file(whole / name), load_file(broken / name)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    steps = [json.loads(line)["step"] for line in (broken / "log.jsonl").read_text().splitlines()]
    assert sorted(steps) == steps


@pytest.mark.parametrize("name", ["nano-normals", "nano-autoencoder"])
def test_every_recipe_trains_and_keeps_its_result(tmp_path, autoencoder, name):
    settings = [*SMALL, *EVERY, "steps=2", f"autoencoder={autoencoder}"]
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


@pytest.mark.parametrize("name", ["distil-decoder", "distil-finetune"])
def test_a_stopped_distillation_resumes_to_the_same_bits(tmp_path, name):
    teacher = tiny_models.depth_folder(tmp_path / "teacher")
    student = ["start=" + str(teacher)] if name == "distil-finetune" else ["width=8"]
    settings = [*SMALL, "phases=[[0,16,16,1]]", "precision=fp32", "steps=2", "warmup=0"]
    config = override(recipe(name), [*settings, f"teacher={teacher}", *student])
    assert train(config, tmp_path / "whole").step == 2
    assert train(override(config, ["stop=1"]), tmp_path / "parts").step == 1
    assert train(config, tmp_path / "parts", resume=True).step == 2
    whole, parts = (load_file(tmp_path / run / STATE) for run in ("whole", "parts"))
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


def test_the_initial_weights_follow_the_configs_seed_and_nothing_else(tmp_path, autoencoder):
    small = [*SMALL, "steps=1", "warmup=5", f"autoencoder={autoencoder}"]
    weights = []
    for outer, seed in ((1, 0), (2, 0), (1, 7)):
        torch.manual_seed(outer)
        run = tmp_path / f"{outer}-{seed}"
        train(override(recipe("nano-depth"), [*small, f"seed={seed}"]), run)
        weights.append(load_file(run / "state.safetensors")["weight/conv_in.weight"])
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
    state = load_file(tmp_path / "first" / "state.safetensors")
    unet = new_model(second).unet
    assert torch.equal(unet.conv_out.weight, state["weight/conv_out.weight"])
    kept = override(second, [f"start={tmp_path / 'first' / 'model'}"])
    model, _ = folder.load(tmp_path / "first" / "model")
    assert torch.equal(new_model(kept).prompt, model.prompt)


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
        new_model(override(recipe("nano-depth"), [f"autoencoder={tmp_path}"]))
