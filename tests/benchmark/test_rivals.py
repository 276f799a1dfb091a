import pytest
import torch

from monostep.benchmark import rivals
from monostep.benchmark.cases import Case
from monostep.errors import MissingExtraError

CPU = torch.device("cpu")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("depth-anything-v2-small", 24.8e6),
        ("depth-anything-v2-large", 335.3e6),
        ("dpt-large", 343e6),
    ],
)
def test_they_have_as_many_parameters_as_the_published_ones(name, published):
    with torch.device("meta"):
        model = rivals.ARCHITECTURES[name].make()
    count = sum(weight.numel() for weight in model.parameters())
    assert count == pytest.approx(published, rel=1e-3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_a_rival_makes_a_map_of_every_picture_in_its_precision(dtype):
    rivals.libraries()
    program = rivals.load("depth-anything-v2-small", dtype, CPU)
    made = program.predict(torch.rand(2, 3, 28, 42), Case(size=(28, 42), batch=2))
    assert made.shape == (2, 28, 42)
    assert made.dtype == {"fp32": torch.float32, "bf16": torch.bfloat16}[dtype]
    assert not made.requires_grad
    assert (program.patch, program.compare) == (14, None)


def test_without_transformers_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(rivals.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"dpt-large: .*pip install"):
        rivals.check("dpt-large")
