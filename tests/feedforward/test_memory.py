from dataclasses import replace

import pytest
import torch
from shaken_models import model, picture

from monostep.diffusion.schedule import Schedule
from monostep.errors import InputError, SettingError
from monostep.feedforward import memory
from monostep.feedforward.fold import fold
from monostep.feedforward.joint import feed_forward
from monostep.feedforward.layers import Weighted
from monostep.feedforward.network import Dimensions
from monostep.network.sizes import CLIP_LARGE, TINY_AUTOENCODER, TINY_UNET

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


@pytest.mark.parametrize("strip", [0, 1 << 20])
def test_a_joint_model_has_two_maps_for_each_image(strip):
    taken = {
        classes: memory.peak_bytes(_untouched(classes), SIZE, 1, strip) for classes in (None, 4, 10)
    }
    fixed = {classes: memory.weight_bytes(_untouched(classes)) for classes in taken}
    maps = {classes: taken[classes] - fixed[classes] - memory.RUNTIME for classes in taken}
    assert maps[None] < maps[4] <= 2 * maps[None] + 1
    assert maps[4] == maps[10]  # the image encoder's are few, where maps are large
    assert fixed[10] > fixed[4]


def test_a_large_image_encoder_is_counted_where_maps_are_small():
    small = (8, 8)
    alone = memory.peak_bytes(_untouched(4), small, 1, 0) - memory.weight_bytes(_untouched(4))
    joint = memory.peak_bytes(_untouched(10), small, 1, 0) - memory.weight_bytes(_untouched(10))
    tokens = 257 * (12 * 1024 + 2 * 4096) * 4  # bytes of CLIP ViT-L/14's
    assert joint - memory.RUNTIME == pytest.approx(memory.MARGIN * tokens, rel=0.01)
    assert alone < joint


def _untouched(classes):
    """A folded network without weights: a plain one, one that hears words, one that looks."""
    dimensions = Dimensions(
        unet=replace(TINY_UNET, classes=classes, joint=classes is not None),
        autoencoder=TINY_AUTOENCODER,
        tokens=4,
        channels=3,
        sees_noise=False,
        image_encoder=CLIP_LARGE if classes == 10 else None,
    )
    with torch.device("meta"):
        schedule = Schedule(alpha_bar=torch.ones(1000), target="velocity")
        network = feed_forward(dimensions, schedule=schedule, times=(999,))
    network.time = torch.zeros(network.time.shape)  # on the CPU
    return network


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
