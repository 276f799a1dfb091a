import shutil

import marigold_folders
import pytest
import tiny_models
import torch

from monostep.checkpoints import (
    embedded,
    folded,
    folder,
    layout,
    opening,
    registry,
    text_encoder,
    weights,
)
from monostep.errors import CheckpointError, MissingExtraError, MonostepWarning, SettingError

ID = "GonzaloMG/marigold-e2e-ft-normals"  # registered, and not pinned to a commit


@pytest.fixture
def place(published, tmp_path):
    return shutil.copytree(published("marigold-depth-v1-1"), tmp_path / "model")


@pytest.fixture
def repository(hub, published):
    hub.repositories[ID] = published("e2e-normals")
    return hub


@pytest.mark.parametrize("kind", marigold_folders.INDEX)
def test_every_published_layout_opens(published, kind):
    task = None if kind.startswith("marigold") else "normals" if "normals" in kind else "depth"
    frame = "dsine" if kind == "e2e-normals" else None
    found = opening.find(published(kind), task=task, frame=frame)
    model = opening.load(found)
    assert not model.training
    assert model.prompt.shape == (2, 16)
    assert {tensor.dtype for tensor in model.state_dict().values()} == {torch.float32}
    assert not any(tensor.is_meta for tensor in model.state_dict().values())
    assert model.unet.config.in_channels == (4 if "4" in kind or "on-2" in kind else 8)
    lcm = kind == "marigold-lcm"
    assert model.schedule.sampler == ("lcm" if lcm else "ddim")
    assert (model.schedule.alpha_bar[-1] == 0) == (kind.endswith("v1-1"))


def test_a_local_folder_is_known_by_its_files_and_their_sizes(place):
    card = opening.find(place).card
    assert (card.name, card.grade) == ("model", "user")
    name = "unet/diffusion_pytorch_model.safetensors"
    assert set(card.source["files"]) == {name, "vae/diffusion_pytorch_model.safetensors"}
    assert card.source["files"][name] == {"bytes": (place / name).stat().st_size, "sha256": None}
    assert (card.source["id"], card.source["commit"]) == ("model", None)


@pytest.mark.parametrize("name", ["nano-depth", "nano-normals"])
def test_an_embedded_model_is_found_by_name_and_checked(name, monkeypatch, tmp_path):
    found = opening.find(name)
    assert found.card == folder.read_card(embedded.ROOT / name)
    copy = shutil.copytree(embedded.ROOT / name, tmp_path / name)
    path = copy / "unet" / weights.NAME
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    monkeypatch.setattr(embedded, "ROOT", tmp_path)
    with pytest.raises(CheckpointError, match="do not match the card's hash"):
        opening.load(opening.find(name))


def test_a_folder_of_ones_own_opens_as_it_was_saved(tmp_path):
    made = tiny_models.normals_folder(tmp_path / "own")
    found = opening.find(made, task="normals", frame="opengl")
    model, card = folder.load(made)
    assert found.card == card
    image = torch.rand(1, 3, 16, 24)
    with torch.no_grad():
        assert torch.equal(opening.load(found)(image), model(image))
    with pytest.raises(SettingError, match="predicts normals"):
        opening.find(made, task="depth")


def test_a_published_checkpoint_comes_from_the_hub_once(repository):
    found = opening.find("e2e-normals")
    assert (found.card.name, found.card.frame, found.card.grade) == (
        *("e2e-normals", "dsine", "published"),
    )
    large = [line for line in repository.requests if "GET" in line and "model.safe" in line]
    assert large == []  # to find is to read JSON
    model = opening.load(found)
    repository.requests.clear()
    again = opening.load(opening.find(ID, offline=True))
    assert repository.requests == []
    image = torch.rand(1, 3, 16, 24)
    with torch.no_grad():
        assert torch.equal(again(image), model(image))


def test_its_card_says_commit_and_hashes(repository):
    source = opening.find(ID).card.source
    assert (source["id"], source["commit"]) == (ID, repository.commit(ID))
    assert all(len(facts["sha256"]) == 64 for facts in source["files"].values())
    opening.load(opening.find(ID))
    assert opening.find(ID, offline=True).card.source == source


def test_a_repository_nobody_registered_is_asked_what_it_predicts(hub, published):
    hub.repositories["me/mine"] = published("e2e-depth")
    with pytest.raises(CheckpointError, match="mine: a StableDiffusionPipeline does not say"):
        opening.find("me/mine")
    card = opening.find("me/mine", task="depth").card
    assert (card.name, card.grade, card.family) == ("mine", "user", "end-to-end")


@pytest.mark.usefixtures("repository")
def test_the_prompt_of_a_hub_checkpoint_is_kept_beside_it(caches, monkeypatch):
    found = opening.find(ID)
    first = opening.load(found).prompt
    monkeypatch.setattr(text_encoder, "embed", None)
    assert torch.equal(opening.load(opening.find(ID, offline=True)).prompt, first)
    kept = list(found.snapshot.beside.iterdir())
    assert [path.name for path in kept] == [f"prompt-{found.snapshot.commit}-2.safetensors"]
    assert not (caches / "monostep").exists()
    assert layout.PROMPT not in layout.names(found.folder)


def test_the_text_encoder_is_not_downloaded_for_nothing(repository, monkeypatch):
    def absent():
        raise MissingExtraError("no transformers")

    monkeypatch.setattr(text_encoder, "library", absent)
    with pytest.raises(MissingExtraError):
        opening.load(opening.find(ID))
    assert not any("safetensors" in line for line in repository.requests)


def test_half_a_cache_says_offline_what_to_run(repository):
    cure = f"run hf download {ID} --revision {repository.commit(ID)}"
    found = opening.find(ID)  # JSON only
    with pytest.raises(CheckpointError, match=f"read the unet from .* not in the cache.*{cure}"):
        opening.find(ID, offline=True)
    found.fetch([*found.unet, *found.vae])
    with pytest.raises(CheckpointError, match=f"the text encoder is not in the cache.*{cure}"):
        opening.load(opening.find(ID, offline=True))
    (found.folder / "vae" / "config.json").unlink()
    with pytest.raises(CheckpointError, match=f"vae/config.json is not in the cache.*{cure}"):
        opening.find(ID, offline=True)


def test_seventy_seven_tokens_can_be_asked_for(place):
    short = opening.load(opening.find(place)).prompt
    long = opening.load(opening.find(place, prompt_tokens=77)).prompt
    assert long.shape == (77, 16)
    torch.testing.assert_close(long[:2], short, rtol=0, atol=1e-5)
    with pytest.raises(SettingError, match="prompt tokens 3"):
        opening.find(place, prompt_tokens=3)


def test_a_variant_is_taken_if_named_or_alone(place):
    unet = place / "unet"
    plain = weights.read(unet / weights.NAME)
    half = unet / "diffusion_pytorch_model.fp16.safetensors"
    weights.write(half, {name: tensor.half() for name, tensor in plain.items()})
    with pytest.raises(CheckpointError, match=r"model: vae/: no variant 'fp16'; this checkpoint"):
        opening.find(place, variant="fp16")
    assert opening.find(place).unet == (f"unet/{weights.NAME}",)
    (unet / weights.NAME).unlink()
    model = opening.load(opening.find(place))
    assert torch.equal(model.unet.conv_in.weight, plain["conv_in.weight"].half().float())


def test_a_mirror_is_the_same_checkpoint_and_the_lost_id_says_so(hub, published):
    entry = registry.find("stable-diffusion-2")
    hub.repositories[entry.mirrors[0]] = published("stable-diffusion-2")
    with pytest.warns(MonostepWarning, match="not trained to predict depth"):
        card = opening.find(entry.mirrors[0], task="depth").card
    assert (card.name, card.noise, card.grade) == ("stable-diffusion-2", "zeros", "user")
    for name in (entry.alias, entry.id):
        with pytest.raises(CheckpointError, match=f"{entry.id}: .*{entry.mirrors[0]}"):
            opening.find(name, task="depth")


@pytest.mark.parametrize("source", ["nano-deep", "no/such/folder", "../up", "a b/c", ""])
def test_what_is_nowhere_lists_what_there_is(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if source == "":  # a path to the current folder, which is no model
        with pytest.raises(CheckpointError, match=r"neither card.json nor model_index.json"):
            opening.find(source)
        return
    with pytest.raises(CheckpointError, match=r"nano-depth.*e2e-depth.*folder here.*owner/name"):
        opening.find(source)


@pytest.mark.usefixtures("repository")
def test_an_alias_goes_before_a_folder_and_a_folder_before_the_hub(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(place, tmp_path / "e2e-normals")
    assert opening.find("e2e-normals").card.grade == "published"
    assert opening.find("./e2e-normals").card.task == "depth"
    shutil.copytree(place, tmp_path / ID)
    assert opening.find(ID).snapshot is None


def test_a_revision_belongs_to_the_hub(repository, place):
    with pytest.raises(SettingError, match="is a folder and has only one"):
        opening.find(place, revision="main")
    with pytest.raises(CheckpointError, match=f"{ID}: no revision 'v2'"):
        opening.find(ID, revision="v2")
    commit = repository.commit(ID)
    assert opening.find(ID, revision=commit).snapshot.commit == commit


def test_parts_that_do_not_belong_together_are_named(place):
    weights.write(place / layout.PROMPT, {"prompt": torch.zeros(2, 24)})
    with pytest.raises(CheckpointError, match="the prompt is 24 wide, the UNet expects 16"):
        opening.load(opening.find(place))


@pytest.mark.parametrize(
    "name", ["unet/config.json", "scheduler/scheduler_config.json", "vae/config.json"]
)
def test_an_incomplete_folder_is_named(place, name):
    (place / name).unlink()
    with pytest.raises(CheckpointError, match=name):
        opening.find(place)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_fold_is_the_model_as_a_plain_network(tmp_path, dtype):
    found = opening.find(tiny_models.depth_folder(tmp_path / "own"))
    network = opening.fold(found, dtype=dtype)
    assert (network.dtype, network.times, network.dimensions.channels) == (dtype, (999,), 1)
    image = torch.rand(1, 3, 16, 24)
    with torch.no_grad():
        expected = opening.load(found)(image).mean(1, keepdim=True)
        near = 1e-5 if dtype == torch.float32 else 0.02
        torch.testing.assert_close(network(image), expected, rtol=0, atol=near)


def test_a_fold_asks_the_checkpoint_for_the_times_it_is_asked_for(tmp_path):
    found = opening.find(tiny_models.normals_folder(tmp_path / "own"))
    network, model = opening.fold(found), opening.load(found)
    image_latent, noisy = torch.randn(2, 1, 4, 6, 8)
    for time in (999, 499, 1):
        with torch.inference_mode():
            expected = model.output(image_latent, noisy, time)
            said = network.output(image_latent, noisy, time)
        torch.testing.assert_close(said, expected, rtol=0, atol=1e-5)
    assert network.times == (999, 499, 1)
    once = opening.fold(found, times=(999,))
    with pytest.raises(SettingError, match="timesteps 499"):
        once.output(image_latent, noisy, 499)


def test_a_single_folded_step_is_taken_at_one_time(tmp_path):
    network = opening.fold(opening.find(tiny_models.depth_folder(tmp_path / "own")), only="clean")
    with pytest.raises(SettingError, match="timesteps 499"):
        network.learn((499,))


def test_a_folded_file_is_found_by_its_ending(tmp_path, monkeypatch):
    found = opening.find(tiny_models.depth_folder(tmp_path / "own"))
    card = folded.save(opening.fold(found, times=(999,)), found.card, tmp_path / "m.safetensors")
    file = opening.find(tmp_path / "m.safetensors", task="depth")
    assert (file.card, file.file) == (card, tmp_path / "m.safetensors")
    monkeypatch.chdir(tmp_path)
    assert opening.find("m.safetensors").card == card
    image = torch.rand(1, 3, 16, 24)
    with torch.no_grad():
        torch.testing.assert_close(opening.fold(file)(image), opening.fold(found)(image))
    assert opening.fold(file, dtype=torch.bfloat16).dtype == torch.bfloat16
    with pytest.raises(CheckpointError, match="only predicts; give the checkpoint"):
        opening.load(file)
    for asked, words in [
        (dict(task="normals"), "predicts depth; leave task out"),
        (dict(frame="opengl"), "predicts depth; leave frame out"),
        (dict(revision="main"), "revision 'main': .* leave it out, or fold"),
        (dict(variant="fp16"), "variant 'fp16': .* leave it out, or fold"),
        (dict(prompt_tokens=77), "prompt_tokens 77: .* leave it out, or fold"),
        (dict(attention="joint"), "predicts depth alone; leave attention out"),
    ]:
        with pytest.raises(SettingError, match=words):
            opening.find(file.file, **asked)
    with pytest.raises(CheckpointError, match=r"none.safetensors: no such file"):
        opening.find("none.safetensors")
