from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import torch
from torch import nn

from monostep.errors import OutputError, TrainingError
from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.network.sizes import TINY_AUTOENCODER
from monostep.training.latents import LatentCache, fingerprint


def _encoder(seed=0):
    torch.manual_seed(seed)
    return AutoencoderKL(TINY_AUTOENCODER).requires_grad_(requires_grad=False)


def _images(count=3):
    generator = torch.Generator().manual_seed(7)
    return torch.rand(count, 3, 16, 24, generator=generator) * 2 - 1


def _cache(folder, encoder):
    return LatentCache(folder, encoder.encode, fingerprint(encoder))


def test_stored_latents_are_the_computed_ones_bit_for_bit(tmp_path):
    encoder, images = _encoder(), _images()
    expected = torch.cat([encoder.encode(image) for image in images.split(1)])
    first, second = _cache(tmp_path, encoder), _cache(tmp_path, encoder)
    assert torch.equal(first(images), expected)
    assert torch.equal(second(images), expected)
    assert (first.computed, first.found) == (3, 0)
    assert (second.computed, second.found) == (0, 3)


def test_neighbours_in_a_batch_and_memory_layout_do_not_matter(tmp_path):
    encoder, images = _encoder(), _images()
    cache = _cache(tmp_path, encoder)
    alone = torch.cat([cache(image) for image in images.split(1)])
    again = cache(images.flip(0).contiguous(memory_format=torch.channels_last))
    assert torch.equal(again.flip(0), alone)
    assert cache.computed == 3


def test_a_mirrored_image_has_latents_of_its_own(tmp_path):
    encoder, images = _encoder(), _images(1)
    cache = _cache(tmp_path, encoder)
    plain, mirrored = cache(images), cache(images.flip(3))
    assert cache.computed == 2
    assert torch.equal(mirrored, encoder.encode(images.flip(3)))
    assert not torch.allclose(mirrored, plain.flip(3), atol=1e-3)  # why both are kept


def test_an_image_that_was_edited_is_encoded_again(tmp_path):
    encoder, images = _encoder(), _images(1)
    cache = _cache(tmp_path, encoder)
    cache(images)
    images[0, 0, 0, 0] += 1e-6
    assert torch.equal(cache(images), encoder.encode(images))
    assert cache.computed == 2


def test_equal_pixels_of_another_shape_are_another_image(tmp_path):
    encoder = _encoder()
    cache = _cache(tmp_path, encoder)
    assert cache(torch.zeros(1, 3, 16, 24)).shape == (1, 4, 2, 3)
    assert cache(torch.zeros(1, 3, 24, 16)).shape == (1, 4, 3, 2)


def test_another_encoder_never_reads_these_latents(tmp_path):
    images = _images()
    _cache(tmp_path, _encoder(0))(images)
    other = _encoder(1)
    cache = _cache(tmp_path, other)
    assert torch.equal(cache(images[:1]), other.encode(images[:1]))
    assert (cache.computed, cache.found) == (1, 0)


def test_the_fingerprint_hears_every_weight_and_every_fact():
    encoder = _encoder()
    keys = {fingerprint(encoder), fingerprint(encoder, "bf16"), fingerprint(encoder, "bf16", "cpu")}
    keys.add(fingerprint(encoder, "bf16cpu"))
    keys.add(fingerprint(_encoder().bfloat16()))
    with torch.no_grad():
        encoder.quant_conv.bias[3] += 1e-6
    keys.add(fingerprint(encoder))
    assert len(keys) == 6
    assert fingerprint(_encoder()) in keys


def test_a_broken_file_is_computed_again(tmp_path):
    encoder, images = _encoder(), _images(1)
    expected = _cache(tmp_path, encoder)(images)
    (path,) = tmp_path.rglob("*.safetensors")
    whole = path.read_bytes()
    for broken in (b"", whole[:-1], b"\0" * len(whole)):
        path.write_bytes(broken)
        cache = _cache(tmp_path, encoder)
        assert torch.equal(cache(images), expected)
        assert cache.computed == 1
        assert path.read_bytes() == whole


def test_half_precision_latents_come_out_in_float32(tmp_path):
    images = _images(1)
    cache = LatentCache(tmp_path, lambda image: image.bfloat16()[:, :, ::8, ::8], "key")
    latent = cache(images)
    assert latent.dtype == torch.float32
    assert torch.equal(latent, images.bfloat16()[:, :, ::8, ::8].float())
    assert torch.equal(cache(images), latent)


def test_writers_of_one_latent_at_one_moment_do_not_disturb_each_other(tmp_path):
    encoder, images = _encoder(), _images(8)
    together = Barrier(2)

    def encode(image):
        latent = encoder.encode(image)
        together.wait(timeout=60)  # both have found no file, and write now
        return latent

    caches = [LatentCache(tmp_path, encode, "key") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda cache: cache(images), caches)
    assert torch.equal(first, second)
    assert [cache.computed for cache in caches] == [8, 8]
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 8  # none temporary
    read = LatentCache(tmp_path, encode, "key")
    assert torch.equal(read(images), first)
    assert read.found == 8


def test_an_encoder_that_learns_is_refused(tmp_path):
    encoder = _encoder().requires_grad_()
    with pytest.raises(TrainingError, match="freeze the encoder"):
        _cache(tmp_path, encoder)(_images(1))
    assert list(tmp_path.rglob("*")) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match="file"):
        LatentCache(tmp_path / "file", nn.Identity(), "key")(_images(1))
