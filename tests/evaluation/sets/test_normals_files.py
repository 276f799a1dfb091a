import sys

import numpy as np
import pytest
import torch
from normals_layouts import write_exr
from PIL import Image

from monostep.errors import InputError, MissingExtraError
from monostep.evaluation.sets.archive import Archive
from monostep.evaluation.sets.lists import Sample
from monostep.evaluation.sets.normals_files import read_normals
from monostep.files import png16

RNG = np.random.default_rng(0)


def truth(tmp_path, decoding, write, ending=".png"):
    """What is read from the one file that `write` writes."""
    write(tmp_path / f"a_normal{ending}")
    sample = Sample(image="a_img.png", depth=f"a_normal{ending}")
    normals, valid = read_normals(Archive(tmp_path), sample, decoding)
    return normals.permute(1, 2, 0).numpy(), valid.numpy()


def saving(codes):
    return lambda path: Image.fromarray(codes).save(path)


def test_every_8_bit_code_means_v_over_255_times_2_minus_1(tmp_path):
    codes = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    codes[0, 0] = (0, 0, 1)  # as dark as a code can be that still counts
    normals, valid = truth(tmp_path, "8-bit png", saving(codes))
    np.testing.assert_array_equal(normals, codes.astype(np.float32) / 255 * 2 - 1)
    assert valid.all()
    np.testing.assert_allclose(normals, codes / 255 * 2 - 1, rtol=0, atol=1.2e-7)


def test_every_16_bit_code_means_v_over_65535_times_2_minus_1(tmp_path):
    codes = np.arange(1, 65536, dtype=np.uint16).reshape(5, -1, 3)
    normals, valid = truth(
        tmp_path, "16-bit png", lambda path: path.write_bytes(png16.encode(codes, {}))
    )
    np.testing.assert_array_equal(normals, codes.astype(np.float32) / 65535 * 2 - 1)
    assert valid.all()


def test_black_means_none(tmp_path):
    codes = RNG.integers(1, 256, (4, 5, 3), dtype=np.uint8)
    codes[1, 2] = codes[3, 4] = 0
    codes[0, 0] = (0, 7, 0)
    normals, valid = truth(tmp_path, "8-bit png", saving(codes))
    assert np.argwhere(~valid).tolist() == [[1, 2], [3, 4]]
    assert not normals[~valid].any()


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_floats_mean_themselves_from_a_length_above_a_half(tmp_path, kind):
    vectors = RNG.normal(size=(4, 5, 3)).astype(kind)
    vectors[0, 0] = (0.5, 0, 0)  # exactly a half is none
    vectors[0, 1] = (0, 0.501, 0)
    vectors[0, 2] = 0
    vectors[1, 1] = (np.nan, 1, 1)
    vectors[1, 2] = (np.inf, 1, 1)
    normals, valid = truth(tmp_path, "exr", lambda path: write_exr(path, vectors), ending=".exr")
    wide = vectors.astype(np.float64)
    expected = np.isfinite(wide).all(axis=2) & (np.sqrt((wide**2).sum(axis=2)) > 0.5)
    np.testing.assert_array_equal(valid, expected)
    assert not valid[0, 0] and valid[0, 1] and not valid[1, 1] and not valid[1, 2]
    np.testing.assert_array_equal(normals[valid], vectors[valid].astype(np.float32))
    assert not normals[~valid].any()


def test_a_length_that_overflows_is_none(tmp_path):
    vectors = np.full((2, 2, 3), 3e38, np.float32)
    _, valid = truth(tmp_path, "exr", lambda path: write_exr(path, vectors), ending=".exr")
    assert not valid.any()


def test_truth_is_not_renormalised(tmp_path):
    vectors = np.full((2, 3, 3), 0.7, np.float32)
    normals, _ = truth(tmp_path, "exr", lambda path: write_exr(path, vectors), ending=".exr")
    np.testing.assert_array_equal(normals, vectors)


def test_nothing_valid_is_no_error(tmp_path):
    normals, valid = truth(tmp_path, "8-bit png", saving(np.zeros((3, 4, 3), np.uint8)))
    assert not valid.any() and not normals.any()
    assert normals.dtype == np.float32


CODES = RNG.integers(1, 256, (4, 5, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("decoding", "write", "words"),
    [
        ("16-bit png", saving(CODES), "colours up to 65535, got 3 channels up to 255"),
        ("8-bit png", saving(CODES[..., 0]), "got 1 channels up to 255"),
        ("8-bit png", saving(np.dstack([CODES, CODES[..., 0]])), "got 4 channels"),
        (
            "8-bit png",
            lambda path: Image.fromarray(CODES).quantize(8).save(path),
            "1 channels up to 255 of a palette",
        ),
        (
            "8-bit png",
            lambda path: path.write_bytes(png16.encode(CODES.astype(np.uint16), {})),
            "got 3 channels up to 65535",
        ),
        ("8-bit png", lambda path: path.write_bytes(b"no image"), "not a readable PNG"),
        ("8-bit png", lambda path: path.write_bytes(b""), "not a readable PNG"),
        ("exr", lambda path: path.write_bytes(b"no image"), "not a readable OpenEXR file"),
    ],
)
def test_other_files_are_named(tmp_path, decoding, write, words):
    with pytest.raises(InputError, match=rf"a_normal\.png: .*{words}") as caught:
        truth(tmp_path, decoding, write)
    assert "\n" not in str(caught.value)


def test_every_cut_of_a_png_is_named(tmp_path):
    path = tmp_path / "whole.png"
    Image.fromarray(CODES).save(path)
    data = path.read_bytes()
    for length in range(0, len(data) - 12, 7):  # the last chunk only ends the file
        with pytest.raises(InputError, match=r"a_normal\.png: "):
            truth(tmp_path, "8-bit png", lambda file, n=length: file.write_bytes(data[:n]))


def test_missing_truth_is_named(tmp_path):
    with pytest.raises(InputError, match=r"a_normal\.png: no such file"):
        truth(tmp_path, "8-bit png", lambda path: None)  # noqa: ARG005


def test_planes_lie_one_after_another(tmp_path):
    write = saving(CODES)
    write(tmp_path / "a_normal.png")
    normals, valid = read_normals(
        Archive(tmp_path), Sample(image="a_img.png", depth="a_normal.png"), "8-bit png"
    )
    assert normals.is_contiguous() and normals.shape == (3, 4, 5) and valid.dtype == torch.bool


def test_without_openexr_s_package_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    with pytest.raises(
        MissingExtraError, match=r"a_normal\.exr: .*pip install 'monostep\[formats\]'"
    ):
        truth(tmp_path, "exr", lambda path: path.write_bytes(b"x"), ending=".exr")
