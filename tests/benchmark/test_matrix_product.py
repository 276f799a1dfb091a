import pytest
import torch

from monostep.benchmark import matrix_product
from monostep.benchmark.cases import Case
from monostep.device import choose_dtype


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_it_is_a_square_product_in_the_precision(dtype, monkeypatch):
    monkeypatch.setattr(matrix_product, "_ENOUGH", 0)
    program = matrix_product.load(dtype, torch.device("cpu"))
    made = program.predict(torch.empty(1, 3, 8, 8), Case(size=(8, 8)))
    assert made.shape == (512, 512)
    assert made.dtype == {"fp32": torch.float32, "bf16": torch.bfloat16}[dtype]
    assert (program.dtype, program.timed, program.compare) == (dtype, [], None)


def test_auto_is_what_the_device_multiplies_best(monkeypatch):
    monkeypatch.setattr(matrix_product, "_ENOUGH", 0)
    device = torch.device("cpu")
    expected = "bf16" if choose_dtype("auto", device) == torch.bfloat16 else "fp32"
    assert matrix_product.load("auto", device).dtype == expected


def test_it_grows_until_it_takes_long_enough_or_is_the_largest(monkeypatch):
    times = iter([0.01, 0.05, 0.2])
    monkeypatch.setattr(matrix_product, "_seconds", lambda *_: next(times))
    monkeypatch.setattr(matrix_product, "_SMALLEST", 16)
    program = matrix_product.load("fp32", torch.device("cpu"))
    assert program.predict(torch.empty(1, 3, 8, 8), Case(size=(8, 8))).shape == (64, 64)
    monkeypatch.setattr(matrix_product, "_seconds", lambda *_: 0)
    monkeypatch.setattr(matrix_product, "_LARGEST", {"cpu": 32})
    program = matrix_product.load("fp32", torch.device("cpu"))
    assert program.predict(torch.empty(1, 3, 8, 8), Case(size=(8, 8))).shape == (32, 32)
