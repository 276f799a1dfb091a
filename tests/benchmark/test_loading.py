import sys
from functools import partial
from types import SimpleNamespace

import pytest
import torch

from monostep.benchmark import (
    diffusers_program,
    loading,
    matrix_product,
    own_program,
    rivals,
)
from monostep.benchmark.program import Program
from monostep.benchmark.stopwatch import Part
from monostep.benchmark.subjects import DIFFUSERS, OTHERS, OURS, PEAK, UNFOLDED, Subject

CPU = torch.device("cpu")


@pytest.fixture
def model():
    return SimpleNamespace(encode=lambda image: image + 1)


@pytest.fixture(autouse=True)
def stubs(monkeypatch, model):
    """Loaders that say who they are instead of loading."""

    def loaded(name, *arguments):
        part = Part(stage="encode", owner=model, method="encode")
        assert CPU in arguments
        return Program(dtype=name, predict=lambda *_: None, compilable=[part])

    for module, name in (
        (own_program, "load"),
        (own_program, "load_unfolded"),
        (diffusers_program, "load"),
        (matrix_product, "load"),
        (rivals, "load"),
    ):
        label = f"{module.__name__.split('.')[-1]}.{name}"
        monkeypatch.setattr(module, name, partial(loaded, label))


@pytest.mark.parametrize("kind", [OURS, *OTHERS, PEAK])
def test_every_subject_has_its_loader(weights, kind):
    expected = {
        OURS: "own_program.load",
        UNFOLDED: "own_program.load_unfolded",
        DIFFUSERS: "diffusers_program.load",
        PEAK: "matrix_product.load",
    }
    program = loading.load(Subject(kind=kind, dtype="fp32"), weights, CPU)
    assert program.dtype == expected.get(kind, "rivals.load")


@pytest.mark.parametrize("kind", [OURS, DIFFUSERS])
def test_only_the_parts_of_a_compiled_one_are_compiled(weights, kind, monkeypatch, model):
    def compiled(work, **options):
        assert options == {"dynamic": False}
        return lambda image: 10 * work(image)

    monkeypatch.setattr(torch, "compile", compiled)
    loading.load(Subject(kind=kind, dtype="fp32"), weights, CPU)
    assert model.encode(1) == 2
    loading.load(Subject(kind=kind, dtype="fp32", compiled=True), weights, CPU)
    assert model.encode(1) == 20


def test_what_cuda_graphs_return_is_copied(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda work, **_: work)
    kept, rest = torch.ones(2), "text"
    made = loading._compiled(lambda: (kept, rest), torch.device("cuda"))()
    kept += 1
    assert made[0].tolist() == [1, 1]
    assert made[1] == "text"


def test_ours_needs_no_library():
    before = set(sys.modules)
    loading.libraries(Subject(kind=OURS, dtype="fp32"))
    assert set(sys.modules) == before
