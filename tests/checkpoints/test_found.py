import joint_models
import tiny_models

from monostep.checkpoints import opening


def test_its_weights_are_those_of_all_networks(tmp_path):
    plain = opening.find(tiny_models.depth_folder(tmp_path / "plain"))
    assert plain.weights == (*plain.unet, *plain.vae)
    joint = opening.find(joint_models.geometry_folder(tmp_path / "joint"))
    assert joint.weights == (*joint.unet, *joint.vae, "image_encoder/model.safetensors")


def test_a_folder_has_all_of_its_files(tmp_path):
    opening.find(tiny_models.depth_folder(tmp_path / "plain")).fetch(["anything"])
