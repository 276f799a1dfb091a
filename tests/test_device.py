import pytest
import torch

from monostep.device import DTYPES, choose_device, choose_dtype
from monostep.errors import SettingError


def test_auto_is_a_device_that_works_and_float32():
    torch.zeros(1, device=choose_device("auto"))
    assert choose_dtype("auto") is torch.float32


@pytest.mark.parametrize("name", DTYPES)
def test_every_precision_has_a_name(name):
    assert choose_dtype(name).is_floating_point


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "cpu:x"])
def test_a_device_that_cannot_be_used_is_one_line(name):
    with pytest.raises(SettingError, match=f"device '{name}' cannot be used") as error:
        choose_device(name)
    assert "\n" not in str(error.value)


def test_an_unknown_precision_names_the_known_ones():
    with pytest.raises(SettingError, match="choose auto, fp32, bf16, fp16"):
        choose_dtype("int8")
