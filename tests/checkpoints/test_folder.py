import dataclasses
import warnings

import diffusers
import diffusers_joint
import joint_models
import pytest
import tiny_models
import torch
import transformers

from monostep.checkpoints import folder
from monostep.diffusion.class_numbers import class_numbers
from monostep.diffusion.schedule import Schedule, scaled_linear, zero_terminal_snr
from monostep.errors import CheckpointError
from monostep.files.atomic import read_json, write_json


@pytest.fixture
def place(tmp_path):
    tiny_models.depth_folder(tmp_path / "model")
    return tmp_path / "model"


def test_what_is_saved_is_what_is_loaded(place, tmp_path):
    model, card = folder.load(place, verify=True)
    folder.save(model, card, tmp_path / "again")
    again, same = folder.load(tmp_path / "again", verify=True)
    assert same == card
    image = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        assert torch.equal(model(image), again(image))


def test_half_precision_is_stored_and_loads_as_float32(place, tmp_path):
    model, card = folder.load(place)
    folder.save(model, card, tmp_path / "half", dtype=torch.float16)
    half, _ = folder.load(tmp_path / "half", verify=True)
    assert half.unet.conv_in.weight.dtype == torch.float32
    weights = half.unet.conv_in.weight, model.unet.conv_in.weight
    torch.testing.assert_close(*weights, atol=1e-3, rtol=0)


def test_diffusers_loads_the_folder_and_agrees(place):
    model, _ = folder.load(place)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        unet = diffusers.UNet2DConditionModel.from_pretrained(place, subfolder="unet")
        vae = diffusers.AutoencoderTiny.from_pretrained(place, subfolder="vae")
        scheduler = diffusers.DDIMScheduler.from_pretrained(place, subfolder="scheduler")
    scheduler.set_timesteps(1)
    image = torch.rand(2, 3, 16, 24) * 2 - 1
    with torch.no_grad():
        latent = vae.encode(image).latents * vae.config.scaling_factor
        zeros = torch.zeros_like(latent)
        inputs = torch.cat([latent, zeros], dim=1)
        time = scheduler.timesteps[0]
        output = unet(inputs, time, model.prompt.expand(2, -1, -1)).sample
        clean = scheduler.step(output, time, zeros).pred_original_sample
        theirs = vae.decode(clean / vae.config.scaling_factor).sample
        assert time == 999
        torch.testing.assert_close(model(image), theirs, rtol=0, atol=1e-5)


def test_a_flipped_byte_is_found(place):
    path = place / "unet" / "diffusion_pytorch_model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    folder.load(place)
    with pytest.raises(CheckpointError, match="do not match the card's hash"):
        folder.load(place, verify=True)


@pytest.mark.parametrize(
    "name",
    ["card.json", "unet/config.json", "vae/config.json", "scheduler/scheduler_config.json"],
)
def test_a_missing_part_is_named(place, name):
    (place / name).unlink()
    with pytest.raises(CheckpointError, match=name):
        folder.load(place)


@pytest.mark.parametrize("words", [False, True])
def test_a_joint_model_is_loaded_as_it_was_saved(tmp_path, words):
    made, place = joint_models.model(words=words), tmp_path / "joint"
    joint_models.geometry_folder(place, words=words)
    model, card = folder.load(place, verify=True)
    assert (card.task, card.attention, model.unet.config) == (
        *("geometry", "joint", made.unet.config),
    )
    image, domain = torch.rand(2, 3, 16, 24) * 2 - 1, torch.tensor([1, 2])
    with torch.no_grad():
        torch.testing.assert_close(model(image, domain), made(image, domain), rtol=0, atol=1e-5)
    folder.save(model, card, tmp_path / "again")
    assert folder.read_card(tmp_path / "again") == card


def test_the_attention_of_a_joint_model_is_its_cards(tmp_path):
    card = dataclasses.replace(joint_models.CARD, attention="separate")
    folder.save(joint_models.model(), card, tmp_path / "model")
    assert not folder.load(tmp_path / "model")[0].unet.config.joint


@pytest.mark.parametrize("words", [False, True])
def test_the_hash_of_a_joint_model_covers_what_its_unet_reads(tmp_path, words):
    place = joint_models.geometry_folder(tmp_path / "joint", words=words)
    path = place / ("prompt_embedding.safetensors" if words else "image_encoder/model.safetensors")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(CheckpointError, match="do not match the card's hash"):
        folder.load(place, verify=True)


def test_diffusers_and_transformers_load_a_joint_model_and_agree(tmp_path):
    place = joint_models.geometry_folder(tmp_path / "joint")
    model, _ = folder.load(place)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        unet = diffusers.UNet2DConditionModel.from_pretrained(place, subfolder="unet")
    encoder = transformers.CLIPVisionModelWithProjection.from_pretrained(place / "image_encoder")
    diffusers_joint.install(unet)
    seen, time = torch.randn(4, 8, 6, 8), torch.tensor([999, 999, 1, 1])
    squares = torch.rand(2, 3, model.side, model.side)
    mean, std = (
        torch.tensor(colour)[:, None, None]
        for colour in (model.image_encoder.config.mean, model.image_encoder.config.std)
    )
    classes = class_numbers(torch.tensor([0, 2]))
    with torch.no_grad():
        ours = model.context(squares, torch.tensor([0, 2]))
        theirs = encoder((squares - mean) / std).image_embeds[:, None]
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
        context = theirs.repeat(2, 1, 1)
        expected = unet(seen, time, context, class_labels=classes).sample
        said = model.unet(seen, time, context, classes)
    torch.testing.assert_close(said, expected, rtol=0, atol=1e-5)
    index = read_json(place / "model_index.json")
    assert index["_class_name"] == "DepthNormalEstimationPipeline"
    assert index["image_encoder"] == ["transformers", "CLIPVisionModelWithProjection"]


@pytest.mark.parametrize("sampler", ["ddim", "lcm"])
def test_the_schedule_is_the_files_own(place, tmp_path, sampler):
    model, card = folder.load(place)
    model.schedule = Schedule(
        alpha_bar=zero_terminal_snr(scaled_linear()), target="sample", sampler=sampler, offset=0
    )
    folder.save(model, card, tmp_path / "other")
    again = folder.load(tmp_path / "other")[0].schedule
    assert torch.equal(again.alpha_bar, model.schedule.alpha_bar)
    assert (again.target, again.sampler, again.offset) == ("sample", sampler, 0)
    index = read_json(tmp_path / "other" / "model_index.json")
    assert index["scheduler"][1] == ("LCMScheduler" if sampler == "lcm" else "DDIMScheduler")


def test_the_scheduler_on_disk_says_trailing(place):
    scheduler = read_json(place / "scheduler" / "scheduler_config.json")
    assert scheduler["timestep_spacing"] == "trailing"


def test_a_config_of_another_network_is_refused(place):
    config = read_json(place / "unet" / "config.json")
    write_json(place / "unet" / "config.json", {**config, "layers_per_block": 1})
    with pytest.raises(CheckpointError, match="belongs to another network"):
        folder.load(place)
