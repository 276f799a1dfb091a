import dataclasses
import json
import shutil

import marigold_folders
import pytest
import tiny_models
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from monostep.checkpoints import folder, opening
from monostep.errors import CheckpointError, SettingError
from monostep.files.atomic import write_json
from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig
from monostep.network.sizes import TINY_UNET
from monostep.network.unet import UNet
from monostep.recipes import recipe
from monostep.training.beginning import begin, double_inputs
from monostep.training.one_step import trained_part
from monostep.training.overriding import override


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    root = tmp_path_factory.mktemp("published")
    return lambda kind: (
        root / kind if (root / kind).is_dir() else marigold_folders.write(root / kind, kind)
    )


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return tiny_models.depth_folder(tmp_path_factory.mktemp("own") / "depth")


def _config(name, *settings):
    return override(recipe(name), settings)


@pytest.mark.parametrize(
    "kind",
    [
        "marigold-depth-v1-0",
        pytest.param("marigold-depth-v1-1", marks=pytest.mark.slow),
        pytest.param("marigold-lcm", marks=pytest.mark.slow),
    ],
)
def test_marigold_begins_with_its_own_weights_schedule_and_autoencoder(published, kind):
    path = published(kind)
    beginning = begin(_config("marigold-e2e-depth", f"start={path}"))
    theirs = opening.load(opening.find(path))
    weights = theirs.state_dict()
    for name, tensor in beginning.model.state_dict().items():
        assert torch.equal(tensor, weights[name]), name
    assert torch.equal(beginning.model.schedule.alpha_bar, theirs.schedule.alpha_bar)
    assert beginning.model.schedule.sampler == "ddim"
    assert beginning.model.training
    card = beginning.card
    assert (card.task, card.quantity, card.invariance) == ("depth", "depth", "affine")
    assert (card.family, card.noise, card.steps, card.last) == ("end-to-end", "zeros", 1, "clean")
    assert (card.spacing, card.resolution) == ("trailing", 640)
    assert card.source["start"] == kind
    assert set(card.source["start_source"]) == {"id", "commit", "files"}
    assert card.recipe["recipe"] == "marigold-e2e-depth"
    card.check()


@pytest.mark.parametrize("name", ["sd-e2e-depth", "sd-e2e-normals"])
def test_stable_diffusion_gets_its_inputs_doubled_and_its_task_from_the_recipe(published, name):
    path = published("stable-diffusion-2")
    theirs = opening.load(opening.find(path, task="depth"))
    beginning = begin(_config(name, f"start={path}"))
    assert beginning.model.unet.config.in_channels == 8
    assert beginning.model.sees_noise
    ours = beginning.model.unet.state_dict()
    for key, tensor in theirs.unet.state_dict().items():
        if key != "conv_in.weight":
            assert torch.equal(ours[key], tensor), key
    halves = ours["conv_in.weight"].chunk(2, dim=1)
    assert all(torch.equal(half, theirs.unet.conv_in.weight / 2) for half in halves)
    assert beginning.card.task == name.removeprefix("sd-e2e-")
    assert beginning.card.frame == ("opengl" if name.endswith("normals") else None)


def test_with_four_channels_stable_diffusion_stays_as_it_is(published):
    path = published("stable-diffusion-2")
    beginning = begin(_config("sd-e2e-depth-4ch", f"start={path}"))
    assert beginning.model.unet.config.in_channels == 4
    assert beginning.card.noise == "zeros"


@pytest.mark.parametrize("halve_bias", [True, False])
def test_doubled_inputs_see_twice_what_single_ones_saw(halve_bias):
    torch.manual_seed(0)
    unet = UNet(dataclasses.replace(TINY_UNET, in_channels=4))
    weight, bias = (p.detach().clone() for p in (unet.conv_in.weight, unet.conv_in.bias))
    before = torch.random.get_rng_state()
    double_inputs(unet, halve_bias=halve_bias)
    assert torch.equal(torch.random.get_rng_state(), before)
    latent = torch.randn(2, 4, 8, 8)
    kept = bias / 2 if halve_bias else bias
    wanted = F.conv2d(latent, weight, padding=1) + kept[:, None, None]
    torch.testing.assert_close(unet.conv_in(torch.cat([latent, latent], 1)), wanted)
    alone = unet.conv_in(torch.cat([latent, torch.zeros_like(latent)], 1))
    torch.testing.assert_close(alone, F.conv2d(latent, weight / 2, padding=1) + kept[:, None, None])
    assert unet.config.in_channels == unet.conv_in.in_channels == 8
    assert unet.conv_in.weight.requires_grad


def test_parity_halves_the_bias_and_asks_with_the_long_prompt(published):
    path = published("stable-diffusion-2")
    plain = begin(_config("sd-e2e-depth", f"start={path}")).model
    parity = begin(_config("e2e-parity-depth", f"start={path}")).model
    assert torch.equal(parity.unet.conv_in.bias, plain.unet.conv_in.bias / 2)
    assert (plain.prompt_tokens, parity.prompt_tokens) == (2, 77)
    # The encoder is causal.
    torch.testing.assert_close(parity.prompt[:2], plain.prompt, rtol=1e-4, atol=1e-5)


def test_where_no_inputs_are_doubled_there_is_no_bias_to_halve(published, own):
    four = [f"start={published('stable-diffusion-2')}", "noise=none"]
    for settings in ([f"start={own}"], [], four):
        with pytest.raises(
            SettingError, match=r"halve_bias true, but .*set halve_bias=false"
        ) as no:
            begin(_config("nano-depth", "halve_bias=true", *settings))
        assert "\n" not in str(no.value)
    start = f"start={published('marigold-depth-v1-0')}"
    again = begin(_config("e2e-parity-depth", start, "halve_bias=false", "prompt_tokens=2"))
    assert again.model.sees_noise


@pytest.mark.parametrize(
    ("kind", "settings", "frame"),
    [
        ("marigold-normals-v1-1", ["frame=start"], "opengl"),
        ("marigold-normals-v0-1", ["frame=dsine"], "dsine"),
        ("e2e-normals", ["frame=dsine"], "dsine"),
        ("e2e-normals", ["frame=start"], "opengl"),
        ("marigold-depth-v1-0", ["frame=start"], "opengl"),
        ("marigold-depth-v1-0", ["frame=directx"], "directx"),
    ],
)
def test_the_frame_is_the_configs_or_else_the_starts(published, kind, settings, frame):
    config = _config("marigold-e2e-normals", f"start={published(kind)}", *settings)
    assert begin(config).card.frame == frame


def test_a_frame_of_ones_own_model_is_kept(tmp_path, own):
    model, card = folder.load(own)
    card = dataclasses.replace(card, task="normals", quantity=None, invariance=None, frame="dsine")
    folder.save(model, card, tmp_path)
    assert begin(_config("nano-normals", f"start={tmp_path}")).card.frame == "dsine"


def test_random_weights_are_those_of_torchs_generator():
    models = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        models.append(begin(_config("nano-depth")).model)
    weights = [model.unet.conv_in.weight for model in models]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(models[0].prompt, models[1].prompt)
    embedded, _ = folder.load(opening.find("nano-depth").folder)
    assert torch.equal(models[0].vae.decode(torch.ones(1, 4, 2, 2)), _ones(embedded.vae))


def _ones(vae):
    return vae.decode(torch.ones(1, 4, 2, 2))


def test_without_noise_a_random_unet_has_no_input_for_it():
    model = begin(_config("nano-depth", "noise=none")).model
    assert model.unet.config.in_channels == 4
    assert not model.sees_noise


def test_an_autoencoder_in_place_of_the_starts(tmp_path, own):
    torch.manual_seed(3)
    other = AutoencoderTiny(
        AutoencoderTinyConfig(width=8, encoder_blocks=(0, 0), decoder_blocks=(1, 0))
    )
    folder.save_autoencoder(other, tmp_path, dtype=torch.float32)
    kept = begin(_config("nano-depth", f"start={own}")).model
    assert kept.multiple == 4
    changed = begin(_config("nano-depth", f"start={own}", f"autoencoder={tmp_path}")).model
    assert changed.multiple == 2
    assert torch.equal(changed.unet.conv_out.weight, kept.unet.conv_out.weight)


@pytest.mark.parametrize("start", [True, False])
def test_an_autoencoder_of_another_width_is_named(tmp_path, own, start):
    config = AutoencoderTinyConfig(
        width=8, encoder_blocks=(0, 0), decoder_blocks=(0, 0), latent_channels=3
    )
    folder.save_autoencoder(AutoencoderTiny(config), tmp_path, dtype=torch.float32)
    settings = [f"autoencoder={tmp_path}", *([f"start={own}"] if start else [])]
    with pytest.raises(SettingError, match="3 latent channels, the UNet expects 4"):
        begin(_config("nano-depth", *settings))


def test_a_start_with_an_input_for_noise_cannot_do_without(own):
    with pytest.raises(SettingError, match="noise none with a UNet of 8 input channels"):
        begin(_config("nano-depth", f"start={own}", "noise=none"))


@pytest.mark.parametrize("name", ["nano-depth", "sd-e2e-normals"])
def test_a_start_that_is_not_there_is_named(tmp_path, name):
    with pytest.raises(CheckpointError, match="nowhere at all"):
        begin(_config(name, f"start={tmp_path}/nowhere at all"))


def test_a_longer_prompt_than_the_start_carries_needs_its_text_encoder(own):
    with pytest.raises(CheckpointError, match="no text encoder to compute 77 tokens"):
        begin(_config("nano-depth", f"start={own}", "prompt_tokens=77"))


@pytest.mark.parametrize("quantity", ["disparity", "sqrt_disparity"])
def test_disparity_from_a_depth_model_must_first_learn_which_end_is_near(tmp_path, own, quantity):
    wanted = [f"quantity={quantity}", "depth_unit=image"]
    for start in ([f"start={own}"], []):
        with pytest.raises(SettingError, match="cannot tell near from far; set align_from"):
            begin(_config("nano-depth", *wanted, *start))
    beginning = begin(_config("nano-depth", *wanted, f"start={own}", "align_from=0.1"))
    assert beginning.card.quantity == quantity
    folder.save(beginning.model, beginning.card, tmp_path)
    again = begin(_config("nano-depth", *wanted, f"start={tmp_path}"))  # it knows by now
    assert again.card.quantity == quantity
    assert again.card.source["start"] == "nano-depth"
    assert again.card.source["start_source"]["start"] == "tiny-depth"
    assert again.card.source["start_hash"] == folder.read_card(tmp_path).tensor_hash
    with pytest.raises(SettingError, match=f"started from {quantity}"):
        begin(_config("nano-depth", f"start={tmp_path}"))


def test_the_logarithm_of_depth_is_as_near_as_depth(own):
    settings = ["quantity=log_depth", "depth_unit=image", f"start={own}"]
    assert begin(_config("nano-depth", *settings)).card.quantity == "log_depth"


def _run(path, model_folder, **config):
    """A run's folder whose best model is that of a folder, and whose last weights are others."""
    shutil.copytree(model_folder, path / "model")
    write_json(path / "config.json", config)
    model, _ = folder.load(model_folder)
    learned = {name: config.get(f"train_{name}", False) for name in ("encoder", "decoder")}
    part = trained_part(model, **learned)
    last = {f"weight/{name}": p.detach() + 1 for name, p in part.named_parameters()}
    (path / "states").mkdir()
    about = {"progress": json.dumps({"step": 3, "best": 0.5})}
    save_file(last, path / "states" / "00000003.safetensors", metadata=about)
    return model


@pytest.mark.parametrize(("encoder", "decoder"), [(False, False), (False, True), (True, True)])
def test_of_a_run_it_begins_with_the_last_weights(tmp_path, own, encoder, decoder):
    best = _run(tmp_path, own, task="depth", train_encoder=encoder, train_decoder=decoder)
    model = begin(_config("nano-depth", f"start={tmp_path}")).model
    assert torch.equal(model.unet.conv_out.weight, best.unet.conv_out.weight + 1)
    learned = model.vae.decoder.layers[0].weight, best.vae.decoder.layers[0].weight
    assert torch.equal(learned[0], learned[1] + decoder)
    learned = model.vae.encoder.layers[0].weight, best.vae.encoder.layers[0].weight
    assert torch.equal(learned[0], learned[1] + encoder)
    kept = begin(_config("nano-depth", f"start={tmp_path / 'model'}")).model
    assert torch.equal(kept.unet.conv_out.weight, best.unet.conv_out.weight)


@pytest.mark.parametrize(
    "ran",
    [
        {"task": "depth", "rank": 4},
        pytest.param({"task": "normals", "average": 0.99}, marks=pytest.mark.slow),
        {"task": "codec"},
        pytest.param({"task": "student"}, marks=pytest.mark.slow),
    ],
)
def test_of_a_run_whose_state_is_of_other_weights_it_begins_with_the_result(tmp_path, own, ran):
    best = _run(tmp_path, own, **ran)
    found = begin(_config("nano-depth", f"start={tmp_path}")).model.state_dict()
    for name, tensor in best.state_dict().items():
        assert torch.equal(found[name], tensor), name
