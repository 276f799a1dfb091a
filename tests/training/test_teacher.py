import json

import joint_models
import pytest
import tiny_models
import torch

from monostep.errors import CheckpointError, SettingError
from monostep.training.teacher import clean_latent, open_teacher


def test_the_teacher_is_frozen_and_whole(tmp_path):
    teacher = open_teacher(str(tiny_models.depth_folder(tmp_path)))
    assert teacher.card.name == "tiny-depth"
    assert not any(parameter.requires_grad for parameter in teacher.network.parameters())
    assert not teacher.network.training


def test_its_map_is_the_decoded_clean_latent(tmp_path):
    network = open_teacher(str(tiny_models.depth_folder(tmp_path))).network
    image = torch.rand(2, 3, 16, 24) * 2 - 1
    decoded = network.decode(clean_latent(network, network.encode(image)))
    assert torch.equal(decoded, network(image))


@pytest.mark.parametrize(("key", "value"), [("steps", 4), ("noise", "gaussian")])
def test_a_teacher_of_many_steps_or_noise_is_refused(tmp_path, key, value):
    folder = tiny_models.depth_folder(tmp_path)
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, key: value}))
    with pytest.raises(SettingError, match=rf"teacher .*{value}.*choose an end-to-end model"):
        open_teacher(str(folder))


def test_a_teacher_of_two_maps_is_refused(tmp_path):
    folder = joint_models.geometry_folder(tmp_path / "joint")
    with pytest.raises(SettingError, match="predicts depth and normals together"):
        open_teacher(str(folder))


def test_a_teacher_that_is_nowhere_is_named():
    with pytest.raises(CheckpointError, match="nowhere"):
        open_teacher("./nowhere")
