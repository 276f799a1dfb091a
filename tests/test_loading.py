import joint_models
import pytest
import tiny_models
import torch

import monostep
from monostep import device, loading
from monostep.checkpoints import folded, opening
from monostep.errors import SettingError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_models.depth_folder(tmp_path_factory.mktemp("m") / "m")


@pytest.mark.parametrize("has", [True, False])
def test_auto_is_bfloat16_where_the_device_has_it(folder, monkeypatch, has):
    monkeypatch.setattr(device, "has_bfloat16", lambda _: has)
    predictor = monostep.load(folder, device="cpu")
    assert predictor.dtype == (torch.bfloat16 if has else torch.float32)
    assert predictor.network.dtype == predictor.dtype


@pytest.mark.parametrize("wrong", [{"dtype": "int4"}, {"device": "abacus"}])
def test_a_mistake_shows_before_anything_is_looked_for(wrong):
    with pytest.raises(SettingError):
        loading.load("no such model", **wrong)


def test_a_joint_model_is_loaded_for_both_of_its_maps_alone(tmp_path):
    place = joint_models.geometry_folder(tmp_path / "joint")
    predictor = monostep.load(place, attention="separate", dtype="fp32")
    assert (predictor.card.task, predictor.card.attention) == ("geometry", "separate")
    assert not predictor.network.dimensions.unet.joint
    for task in ("depth", "normals"):
        with pytest.raises(
            SettingError, match=f"together; leave task out and take .{task} of the result"
        ):
            monostep.load(place, task=task)
    with pytest.raises(SettingError, match="has unet/ alone"):
        monostep.load(place, unet="unet_v2")


def test_too_little_memory_is_answered_with_what_can_still_be_done(folder, tmp_path):
    found = opening.find(folder)
    file = tmp_path / "m.safetensors"
    folded.save(opening.fold(found, times=(999,)), found.card, file)
    less = "ask for dtype bf16, or allow more"
    for source, dtype, advice in (
        (folder, "fp32", f"fold it into a file, in which its weights can stay, {less}"),
        (file, "fp32", less),
        (file, "bf16", "allow more"),
    ):
        with pytest.raises(SettingError, match=f"are allowed; {advice}$"):
            monostep.load(source, device="cpu", dtype=dtype, max_memory=10**6)


def test_the_limit_of_memory_reaches_the_predictor(folder):
    found = opening.find(folder)
    assert loading.open_checkpoint(found).max_memory is None
    assert loading.open_checkpoint(found, max_memory=10**9).max_memory == 10**9
