import pytest
import tiny_models
import torch

import monostep
from monostep import device, loading
from monostep.checkpoints import opening
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


def test_the_limit_of_memory_reaches_the_predictor(folder):
    found = opening.find(folder)
    assert loading.open_checkpoint(found).max_memory is None
    assert loading.open_checkpoint(found, max_memory=10**9).max_memory == 10**9
