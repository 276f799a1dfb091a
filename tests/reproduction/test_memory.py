import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from monostep.network.sizes import TINY_AUTOENCODER, TINY_UNET
from monostep.reproduction import memory

SIZE = (64, 64)
NUMBERS = 64  # bytes of schedule values, which may or may not be kept


@pytest.fixture(scope="module")
def tiny():
    return memory.model(TINY_UNET, TINY_AUTOENCODER)


def test_saved_bytes_of_what_is_known():
    number = torch.ones(1000, requires_grad=True)
    assert memory.saved_bytes(lambda: number.exp()) == 4000  # its own result
    assert memory.saved_bytes(lambda: number + 1) == 0
    assert memory.saved_bytes(lambda: number * number) == 4000  # one storage, twice
    assert memory.saved_bytes(lambda: number * number, without=[number]) == 0
    assert memory.saved_bytes(lambda: (number[:10] * number[5:15]).sum()) == 4000


def test_what_leads_nowhere_is_not_kept():
    number = torch.ones(1000, requires_grad=True)

    def forward():
        number.exp().exp()
        return number.sin()

    assert memory.saved_bytes(forward) == 4000


def test_every_call_keeps_as_much_and_the_decoder_once(tiny):
    one, two, four = (memory.kept_bytes(tiny, SIZE, calls) for calls in (1, 2, 4))
    call = two - one
    assert call > 1_000_000
    assert abs(four - (one + 3 * call)) <= NUMBERS
    latent = torch.zeros(1, 4, 8, 8, requires_grad=True)
    decoder = memory.saved_bytes(
        lambda: tiny.decode(latent), without=[*tiny.parameters(), *tiny.buffers()]
    )
    assert abs(one - call - decoder) <= NUMBERS


def test_weights_do_not_count(tiny):
    of_weights = 4 * sum(weight.numel() for weight in tiny.unet.parameters())
    pixels = memory.kept_bytes(tiny, SIZE, 1)
    assert memory.kept_bytes(tiny, (64, 128), 1) == pytest.approx(2 * pixels, rel=0.05)
    assert memory.kept_bytes(tiny, (8, 8), 1) < of_weights / 4


@pytest.mark.parametrize("calls", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_tensors_without_memory_say_the_same(tiny, calls):
    with FakeTensorMode(allow_non_fake_inputs=True):
        fake = memory.model(TINY_UNET, TINY_AUTOENCODER)
        counted = memory.kept_bytes(fake, SIZE, calls)
    assert abs(counted - memory.kept_bytes(tiny, SIZE, calls)) <= NUMBERS


@pytest.mark.slow
def test_stable_diffusion_needs_gigabytes_where_the_miniature_needs_megabytes():
    found = memory.memory(calls=(1, 2))
    sd2, miniature = found["sd2"], found["miniature"]
    assert list(sd2) == list(miniature) == ["1", "2"]
    assert 1e9 < sd2["1"] < sd2["2"] < 1e11
    assert 1e6 < miniature["1"] < miniature["2"] < 1e8
    assert sd2["2"] - sd2["1"] > 100 * (miniature["2"] - miniature["1"])
