import json
import sys

import pytest
import torch

from monostep.benchmark import machine

CPU = torch.device("cpu")


def test_it_names_what_numbers_depend_on_in_plain_values():
    facts = machine.describe(CPU, 3)
    assert facts["threads"] == 3
    assert facts["torch"] == torch.__version__
    assert facts["gpu"] is None
    assert facts["cpu"]
    json.dumps(facts, allow_nan=False)


def test_threads_that_nobody_chose_are_torchs():
    assert machine.describe(CPU, None)["threads"] == torch.get_num_threads()


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_free_memory_is_less_than_all():
    assert 0 < machine.available_bytes(CPU) < machine.describe(CPU, 1)["memory_bytes"]


def test_a_system_that_does_not_tell_is_unknown(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "_MEMINFO", tmp_path / "none")
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "none")
    assert machine.available_bytes(CPU) is None
    assert machine.describe(CPU, 1)["cpu"]


def test_native_half_precision_is_what_the_flags_say(monkeypatch, tmp_path):
    info = tmp_path / "cpuinfo"
    info.write_text("model name\t: A Chip\nflags\t\t: fpu avx512_bf16 avx2\n")
    monkeypatch.setattr(machine, "_CPUINFO", info)
    facts = machine.describe(CPU, 1)
    assert (facts["cpu"], facts["cpu_half_precision"]) == ("A Chip", ["avx512_bf16"])
