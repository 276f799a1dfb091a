import os

import pytest
import torch

from monostep.device import DTYPES, choose_device, choose_dtype, cores, has_bfloat16
from monostep.errors import SettingError

CPU = torch.device("cpu")


def test_auto_is_a_device_that_works():
    torch.zeros(1, device=choose_device("auto"))


@pytest.mark.parametrize(
    ("can", "dtype"),
    [
        ({}, torch.float32),
        ({"avx512_bf16": False, "amx_bf16": False}, torch.float32),
        ({"avx512_f": True, "avx2": True}, torch.float32),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
    ],
)
def test_auto_is_bfloat16_where_a_cpu_multiplies_it(monkeypatch, can, dtype):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: can, raising=False)
    assert choose_dtype("auto", CPU) is dtype


@pytest.mark.parametrize(
    ("capability", "native"), [((7, 5), False), ((8, 0), True), ((9, 0), True)]
)
def test_auto_is_bfloat16_on_gpus_from_ampere_on(monkeypatch, capability, native):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert has_bfloat16(torch.device("cuda")) is native


@pytest.mark.parametrize("can", [True, False])
def test_an_older_torch_is_asked_in_its_own_way(monkeypatch, can):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: can, raising=False)
    assert has_bfloat16(CPU) is can


def test_what_nobody_knows_about_runs_in_float32(monkeypatch):
    assert choose_dtype("auto", torch.device("meta")) is torch.float32
    for name in ("get_capabilities", "_is_avx512_bf16_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert choose_dtype("auto", CPU) is torch.float32


@pytest.mark.parametrize("name", DTYPES)
def test_every_precision_has_a_name(name):
    assert choose_dtype(name, CPU) is DTYPES[name]


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "cpu:x"])
def test_a_device_that_cannot_be_used_is_one_line(name):
    with pytest.raises(SettingError, match=f"device '{name}' cannot be used") as error:
        choose_device(name)
    assert "\n" not in str(error.value)


def test_an_unknown_precision_names_the_known_ones():
    with pytest.raises(SettingError, match="choose auto, fp32, bf16, fp16"):
        choose_dtype("int8", CPU)


def test_the_cores_are_those_that_the_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert cores() == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert cores() == 7
