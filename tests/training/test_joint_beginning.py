import dataclasses
import shutil

import geowizard_folders
import joint_models
import micro_models
import paired_joint
import pytest
import torch
from safetensors.torch import load_file

from monostep.checkpoints import folder, layout, opening
from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.errors import CheckpointError, SettingError
from monostep.network.sizes import NANO_IMAGE_ENCODER, NANO_JOINT_UNET
from monostep.recipes import recipe
from monostep.training.joint_beginning import begin_joint
from monostep.training.overriding import override
from monostep.training.start import train

TINY = "phases=[[0,8,8,1]]"


def _config(*settings, name="finetune-geometry"):
    return override(recipe(name), settings)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return joint_models.geometry_folder(tmp_path_factory.mktemp("own") / "joint")


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return geowizard_folders.write(tmp_path_factory.mktemp("published") / "g", "geowizard")


@pytest.fixture(scope="module")
def one_map(tmp_path_factory):
    return micro_models.write(tmp_path_factory.mktemp("one") / "depth")


def test_without_a_start_all_but_the_autoencoder_is_random_and_a_function_of_the_seed():
    beginnings = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        beginnings.append(begin_joint(_config(name="nano-geometry")))
    states = [each.model.state_dict() for each in beginnings]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    same = {name for name in states[0] if torch.equal(states[0][name], states[2][name])}
    assert {name for name in same if name.endswith("weight") and "norm" not in name} == {
        name for name in states[0] if name.startswith("vae.") and name.endswith("weight")
    }
    model, card = beginnings[0].model, beginnings[0].card
    assert model.unet.config == NANO_JOINT_UNET
    assert model.image_encoder.config == NANO_IMAGE_ENCODER
    assert (card.task, card.quantity, card.invariance) == ("geometry", "depth", "affine")
    assert (card.frame, card.domain, card.attention) == ("opencv", "indoor", "joint")
    assert (card.family, card.noise, card.steps) == ("end-to-end", "zeros", 1)
    card.check()


@pytest.mark.parametrize("kind", ["own", "published"])
def test_a_geometry_model_begins_as_it_is(kind, request):
    path = request.getfixturevalue(kind)
    beginning = begin_joint(_config(f"start={path}"))
    theirs = opening.load(opening.find(path))
    assert isinstance(beginning.model, JointDiffusion)
    weights = theirs.state_dict()
    for name, tensor in beginning.model.state_dict().items():
        assert torch.equal(tensor, weights[name]), name
    assert beginning.model.unet.config.joint
    assert beginning.model.training
    card = beginning.card
    assert (card.frame, card.domain, card.attention) == ("opencv", "indoor", "joint")
    assert card.source["start"] == opening.find(path).card.name


def test_the_version_that_hears_words_begins_too(tmp_path):
    path = joint_models.geometry_folder(tmp_path / "words", words=True)
    beginning = begin_joint(_config(f"start={path}"))
    assert beginning.model.image_encoder is None
    assert beginning.model.prompt.shape[:2] == (3, 4)


@pytest.mark.parametrize("attention", ["joint", "separate"])
def test_the_attention_is_the_starts_or_the_one_that_is_asked_for(own, tmp_path, attention):
    asked = begin_joint(_config(f"start={own}", f"attention={attention}", "frame=dsine"))
    assert asked.model.unet.config.joint == (attention == "joint")
    assert (asked.card.attention, asked.card.frame) == (attention, "dsine")
    card = dataclasses.replace(asked.card, source={})
    folder.save(asked.model, card, tmp_path / "again")
    kept = begin_joint(_config(f"start={tmp_path / 'again'}"))
    assert kept.card.attention == attention
    assert kept.model.unet.config.joint == (attention == "joint")
    random = begin_joint(_config(f"attention={attention}", name="nano-geometry"))
    assert random.model.unet.config.joint == (attention == "joint")


def test_frame_domain_and_autoencoder_of_the_result(own, tmp_path):
    card = dataclasses.replace(joint_models.CARD, domain="outdoor", frame="opengl")
    folder.save(joint_models.model(seed=6), card, tmp_path / "other")
    beginning = begin_joint(_config(f"start={tmp_path / 'other'}", f"autoencoder={own}"))
    assert (beginning.card.domain, beginning.card.frame) == ("outdoor", "opengl")
    ours = beginning.model.vae.state_dict()
    for source, same in ((own, True), (tmp_path / "other", False)):
        theirs = folder.load_autoencoder(source).state_dict()
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs) == same


def test_the_second_unet_of_a_folder_is_reached_by_its_name(published, tmp_path):
    place = shutil.copytree(published, tmp_path / "both")
    carried = joint_models.geometry_folder(tmp_path / "words", words=True) / layout.PROMPT
    shutil.copyfile(carried, place / layout.PROMPT)
    beginning = begin_joint(_config(f"start={place}", "unet=unet_v2"))
    assert beginning.model.unet.config.classes == 4
    stored = load_file(place / "unet_v2/diffusion_pytorch_model.safetensors")
    ours = beginning.model.unet.state_dict()
    assert all(torch.equal(ours[name], stored[name]) for name in stored)
    with pytest.raises(SettingError, match="has unet/ alone"):
        begin_joint(_config(f"start={tmp_path / 'words'}", "unet=unet_v2"))


def test_a_start_without_its_unets_config_is_told_once(own, tmp_path):
    place = shutil.copytree(own, tmp_path / "broken")
    config = place / layout.UNET_CONFIG
    config.unlink()
    with pytest.raises(CheckpointError) as caught:
        begin_joint(_config(f"start={place}"))
    assert str(caught.value).count(str(config)) == str(caught.value).count("cannot be read") == 1


def test_a_start_of_one_map_is_refused_in_one_line(one_map, own):
    with pytest.raises(SettingError, match=r"predicts depth alone, finetune-geometry learns"):
        begin_joint(_config(f"start={one_map}"))
    for name in ("finetune-depth", "finetune-normals"):
        with pytest.raises(SettingError, match="predicts depth and normals together"):
            train(_config(f"start={own}", "data=procedural", name=name), own / "none")
    assert not (own / "none").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["halve_bias=true"], "halve_bias true"),
        (["image_encoder=somewhere"], "has what it needs"),
        (["quantity=disparity"], "set align_from"),
    ],
)
def test_settings_that_contradict_the_start_are_refused(own, settings, said):
    with pytest.raises(SettingError, match=said):
        begin_joint(_config(f"start={own}", *settings))


def test_a_run_goes_on_from_its_last_weights_and_not_its_best(tmp_path):
    own, run = tmp_path / "own", tmp_path / "run"
    folder.save(paired_joint.model(), dataclasses.replace(joint_models.CARD, resolution=8), own)
    small = (
        "data=procedural",
        "scenes=4",
        "validation_scenes=1",
        "pictures=0",
        TINY,
        "accumulate=1",
        "recompute=none",
    )
    settings = (f"start={own}", "steps=2", "stop=1", "warmup=0", "precision=fp32", *small)
    train(_config(*settings, "train_image_encoder=true", "learning_rate=1e-2"), run)
    best = folder.load(run / "model")[0].state_dict()
    last = begin_joint(_config(f"start={run}")).model.state_dict()
    for part in ("unet.", "image_encoder."):
        names = [name for name in last if name.startswith(part)]
        assert any(not torch.equal(last[name], best[name]) for name in names), part
