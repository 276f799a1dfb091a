import pytest
import torch

from monostep.benchmark import random_weights
from monostep.checkpoints import opening
from monostep.errors import SettingError
from monostep.geometry import decode


@pytest.mark.parametrize("size", ["tiny", "nano"])
@pytest.mark.slow
def test_the_decoded_depth_spreads_over_minus_one_to_one(tmp_path, size):
    folder = random_weights.write(tmp_path, size=size, task="depth")
    found = opening.find(folder)
    model = opening.load(found)
    with torch.inference_mode():
        decoded = model(torch.rand(1, 3, 64, 96) * 2 - 1)
    assert 0.2 < float(decoded.std()) < 0.6
    assert abs(float(decoded.mean())) < 0.2
    assert (found.card.task, found.card.family, found.card.steps) == ("depth", "end-to-end", 1)
    assert found.card.noise == "zeros"


def test_random_normals_have_a_direction_everywhere(normals_folder):
    found = opening.find(normals_folder)
    with torch.inference_mode():
        decoded = opening.load(found)(torch.rand(1, 3, 64, 96) * 2 - 1)
    assert float(decoded.norm(dim=1).min()) > 0.05
    angle = torch.rad2deg(torch.arccos(decode.normals(decoded)[:, 2].clamp(-1, 1)))
    assert float(angle.mean()) > 5, "a constant would be equal to anything"


def test_the_same_seed_writes_the_same_weights_and_leaves_torchs_alone(tmp_path):
    torch.manual_seed(7)
    before = torch.get_rng_state()
    hashes = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        folder = random_weights.write(tmp_path / name, size="tiny", task="depth", seed=seed)
        hashes.append(opening.find(folder).card.tensor_hash)
    assert hashes[0] == hashes[1] != hashes[2]
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("size", "task"), [("huge", "depth"), ("tiny", "flow")])
def test_unknown_sizes_and_tasks_are_refused(tmp_path, size, task):
    with pytest.raises(SettingError, match="choose of"):
        random_weights.write(tmp_path, size=size, task=task)


def test_the_full_size_is_stable_diffusion_2():
    unet, autoencoder = random_weights.SIZES["sd2"]
    with torch.device("meta"):
        model = random_weights._model(unet, autoencoder)
    parameters = sum(weight.numel() for weight in model.parameters())
    assert parameters == 865_922_244 + 83_653_863 + 0


def test_a_joint_models_maps_spread_and_its_normals_have_a_direction(tmp_path):
    folder = random_weights.write(tmp_path, size="tiny", task="geometry")
    found = opening.find(folder)
    with torch.inference_mode():
        depth, normals = opening.load(found)(torch.rand(1, 3, 64, 96) * 2 - 1)
    assert float(decode.depth(depth[None]).std()) > 0.01
    assert float(normals.norm(dim=0).min()) > 0.05
    assert (found.card.task, found.card.attention, found.card.steps) == ("geometry", "joint", 1)
