import pytest
import torch
from shaken_models import model, picture

from monostep.errors import InputError, SettingError
from monostep.feedforward import memory
from monostep.feedforward.fold import fold
from monostep.feedforward.layers import Weighted

SIZE = (768, 1024)


@pytest.fixture(scope="module", params=["kl", "tiny"])
def network(request):
    return fold(model(request.param), channels=1, times=[999], only="clean")


def test_weights_weigh_the_same_packed_or_not():
    network = fold(model("kl"), channels=1, times=[999], only="clean")
    before = memory.weight_bytes(network)
    with torch.inference_mode():
        network(picture(16, 16))
    assert memory.weight_bytes(network) == pytest.approx(before, rel=0.01)


def test_weights_left_in_a_file_weigh_as_much_as_the_largest():
    network = fold(model("kl"), channels=1, times=[999], only="clean")
    before = memory.weight_bytes(network)
    layers = [each for each in network.modules() if isinstance(each, Weighted)]
    largest = max(layer.weight.nbytes for layer in layers)
    left = sum(layer.weight.nbytes for layer in layers)
    for layer in layers:
        layer.leave_in_file(layer.weight.detach)
    assert memory.weight_bytes(network) == before - left + 2 * largest


def test_more_pixels_more_images_and_larger_strips_take_more(network):
    def taken(size=SIZE, images=1, strip=1 << 20):
        return memory.peak_bytes(network, size, images, strip)

    assert taken() < taken(size=(1536, 1024)) and taken() < taken(images=2)
    assert taken(strip=1 << 18) <= taken() <= taken(strip=1 << 20)


def test_strips_save_memory():
    network = fold(model("kl"), channels=1, times=[999], only="clean")
    assert memory.peak_bytes(network, SIZE, 1, 1 << 20) < memory.peak_bytes(network, SIZE, 1, 0)


def test_the_strip_is_the_largest_that_fits():
    network = fold(model("kl"), channels=1, times=[999], only="clean")
    limit = memory.peak_bytes(network, SIZE, 1, 2 << 20)
    assert memory.strip_within(network, SIZE, 1, limit=limit, most=8 << 20) == 2 << 20
    assert memory.strip_within(network, SIZE, 1, limit=10**12, most=8 << 20) == 8 << 20


def test_what_does_not_fit_is_said_with_numbers(network):
    with pytest.raises(InputError, match=r"768x1024 takes about 0\.\d+ GB .* is 0\.00 GB; try"):
        memory.strip_within(network, SIZE, 1, limit=1000, most=8 << 20)


def test_so_much_stays_in_a_file_as_does_not_fit(tmp_path):
    file = tmp_path / "f"
    with file.open("wb") as sparse:
        sparse.truncate(memory.RUNTIME)
    assert memory.to_leave(file, 4 * memory.RUNTIME) == 0
    assert 0 < memory.to_leave(file, int(2.2 * memory.RUNTIME)) < memory.RUNTIME / 2
    assert memory.to_leave(file, memory.RUNTIME) == memory.RUNTIME
    assert memory.to_leave(None, 1) == 0


@pytest.mark.parametrize(
    ("text", "bytes"),
    [("6GB", 6 * 10**9), ("500 mb", 5 * 10**8), ("1.5GiB", 3 * 2**29), ("77", 77), (None, None)],
)
def test_sizes_are_read(text, bytes):
    assert memory.parse_bytes(text) == bytes


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "6XB", "1e9", "nan", "0"])
def test_other_texts_are_refused_in_one_line(text):
    with pytest.raises(SettingError, match="expected bytes"):
        memory.parse_bytes(text)
