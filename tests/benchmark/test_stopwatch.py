import pytest
import torch
from torch.nn import functional as F

from monostep.benchmark import stopwatch
from monostep.benchmark.stopwatch import Part, Stopwatch

CPU = torch.device("cpu")


class Model:
    """Two stages and a rest; attention in the second."""

    def __init__(self):
        self.weight = torch.rand(8, 4, 3, 3)
        self.query = torch.rand(1, 2, 32, 16)

    def encode(self, image):
        return F.conv2d(image, self.weight, padding=1)

    def unet(self):
        return F.scaled_dot_product_attention(self.query, self.query, self.query)

    def __call__(self):
        encoded = self.encode(torch.rand(1, 4, 10, 10))
        self.unet()
        self.unet()
        return encoded.flatten(1) @ torch.rand(800, 5)


@pytest.fixture
def model():
    return Model()


@pytest.fixture
def watch(model):
    return Stopwatch(
        [Part(stage=name, owner=model, method=name) for name in ("encode", "unet")], CPU
    )


def test_multiply_adds_by_stage_are_those_of_the_formulas(model, watch):
    conv, attention, product = 8 * 4 * 9 * 100, 2 * 32 * 32 * (16 + 16), 800 * 5
    with torch.inference_mode():
        counts = watch.multiply_adds(model)
    assert counts == {
        "encode": conv,
        "unet": 2 * attention,
        "whole": conv + 2 * attention + product,
    }


def test_stages_are_parts_of_the_whole(model, watch, monkeypatch):
    now = iter(range(100))
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: next(now))
    # a clock that goes on by 1 whenever it is read: at both ends of every stage and of the whole
    assert watch.seconds(model) == {"encode": 1, "unet": 2, "whole": 7}


def test_wrapped_stages_do_what_they_did(model, watch):
    torch.manual_seed(0)
    plain = Model()()
    torch.manual_seed(0)
    wrapped = Model()
    Stopwatch([Part(stage="encode", owner=wrapped, method="encode")], CPU)
    assert torch.equal(wrapped(), plain)
    assert watch.seconds(model).keys() == {"encode", "unet", "whole"}
    model()  # outside of measuring nothing is kept
    assert watch.seconds(lambda: None).keys() == {"whole"}


def test_a_failure_ends_the_measuring(model, watch):
    with pytest.raises(ZeroDivisionError):
        watch.seconds(lambda: 1 / 0)
    assert watch.seconds(model)["whole"] > 0
