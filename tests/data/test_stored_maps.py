import numpy as np
import pytest
import torch
from own_data import array, grey16
from PIL import Image

from monostep.data import stored_maps
from monostep.errors import InputError
from monostep.files import maps, png16

RANDOM = np.random.default_rng(0)


def unit(shape=(6, 8)):
    values = RANDOM.standard_normal((*shape, 3))
    return (values / np.linalg.norm(values, axis=-1, keepdims=True)).astype(np.float32)


def same(read, expected, tolerance):
    torch.testing.assert_close(
        read, torch.from_numpy(expected).permute(2, 0, 1), rtol=0, atol=tolerance
    )


@pytest.mark.parametrize("ending", ["npy", "npz", "exr", "tiff"])
def test_float_formats_keep_every_value(tmp_path, ending):
    depth = RANDOM.random((6, 8), dtype=np.float32)
    maps.write_depth(tmp_path / f"a.{ending}", depth, {"unit": "m"})
    values, about = stored_maps.read_depth(tmp_path / f"a.{ending}")
    assert np.array_equal(values.numpy(), depth)
    assert about == ({} if ending == "npy" else {"unit": "m"})
    maps.write_normals(tmp_path / f"n.{ending}", unit(), {})
    assert stored_maps.read_normals(tmp_path / f"n.{ending}")[0].shape == (3, 6, 8)


def test_our_png_is_decoded_by_its_own_scale_and_anybodys_is_its_codes(tmp_path):
    depth = RANDOM.random((6, 8), dtype=np.float32) * 9
    maps.write_depth(tmp_path / "ours.png", depth, {"unit": "m"})
    values, about = stored_maps.read_depth(tmp_path / "ours.png")
    torch.testing.assert_close(values, torch.from_numpy(depth), rtol=0, atol=1e-4)
    assert about == {"unit": "m"}
    codes = RANDOM.integers(0, 65536, (6, 8))
    values, about = stored_maps.read_depth(grey16(tmp_path / "theirs.png", codes))
    assert np.array_equal(values.numpy(), codes)
    assert about == {}


def test_a_tiff_of_integers_is_its_codes(tmp_path):
    codes = RANDOM.integers(0, 65536, (6, 8)).astype(np.uint16)
    Image.fromarray(codes).save(tmp_path / "a.tiff")
    assert np.array_equal(stored_maps.read_depth(tmp_path / "a.tiff")[0].numpy(), codes)


@pytest.mark.parametrize(("top", "tolerance"), [(255, 0.006), (65535, 2.3e-5)])
def test_normals_of_codes_are_unit_vectors_and_0_where_codes_say_none(tmp_path, top, tolerance):
    normals = unit()
    codes = np.rint((normals + 1) / 2 * top)
    codes[0, :3] = np.array([[0] * 3, [top // 2 + 1] * 3, [top] * 3])
    path = tmp_path / "n.png"
    if top == 255:
        Image.fromarray(codes.astype(np.uint8)).save(path)
    else:
        path.write_bytes(png16.encode(codes.astype(np.uint16), {}))
    read, _ = stored_maps.read_normals(path)
    assert not read[:, 0, :3].any()
    same(read[:, 1:], normals[1:], tolerance)
    torch.testing.assert_close(read[:, 1:].norm(dim=0), torch.ones(5, 8), rtol=0, atol=1e-6)


def test_normals_of_our_png_and_of_floats_keep_what_they_do_not_know_0(tmp_path):
    normals = unit()
    normals[0, 0], normals[0, 1] = np.nan, 0
    maps.write_normals(tmp_path / "n.png", normals, {"frame": "opengl"})
    array(tmp_path / "n.npy", normals)
    for name, tolerance in (("n.png", 2.3e-5), ("n.npy", 1e-6)):
        read, about = stored_maps.read_normals(tmp_path / name)
        assert about.get("frame", "opengl") == "opengl"
        assert not read[:, 0, :2].any()
        same(read[:, 1:], normals[1:], tolerance)


def test_codes_among_floats_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"n\.npy: normals with components up to 255; expected"):
        stored_maps.read_normals(array(tmp_path / "n.npy", np.full((4, 4, 3), 255)))


def test_a_mask_is_what_is_not_0_in_any_colour(tmp_path):
    expected = RANDOM.random((6, 8)) > 0.5
    grey = (expected * 7).astype(np.uint8)
    colour = np.dstack([0 * grey, 0 * grey, grey, 0 * grey + 255])
    wide = np.dstack([expected, 0 * grey, 0 * grey]).astype(np.uint16)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(colour).save(tmp_path / "colour.png")
    Image.fromarray(expected).save(tmp_path / "bits.png")
    Image.fromarray(grey).convert("P").save(tmp_path / "palette.png")
    (tmp_path / "wide.png").write_bytes(png16.encode(wide, {}))
    np.save(tmp_path / "bool.npy", expected)
    array(tmp_path / "float.npy", np.where(expected, 1, np.nan))
    for path in tmp_path.iterdir():
        assert np.array_equal(stored_maps.read_mask(path).numpy(), expected), path.name


def test_confidence_of_codes_and_of_floats(tmp_path):
    share = RANDOM.random((6, 8), dtype=np.float32)
    Image.fromarray(np.rint(share * 255).astype(np.uint8)).save(tmp_path / "8.png")
    grey16(tmp_path / "16.png", np.rint(share * 65535))
    array(tmp_path / "a.npy", share)
    maps.write_uncertainty(tmp_path / "ours.png", share, {})
    for name, tolerance in (("8.png", 2e-3), ("16.png", 8e-6), ("a.npy", 0), ("ours.png", 8e-6)):
        read = stored_maps.read_confidence(tmp_path / name)
        torch.testing.assert_close(read, torch.from_numpy(share), rtol=0, atol=tolerance)
    for wrong in (share + 1, -share, np.full_like(share, np.nan)):
        with pytest.raises(InputError, match=r"a\.npy: confidence from .*expected \[0, 1\]"):
            stored_maps.read_confidence(array(tmp_path / "a.npy", wrong))


def test_pictures_of_maps_are_refused(tmp_path):
    picture = Image.fromarray(RANDOM.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    picture.save(tmp_path / "colour.png")
    picture.quantize(8).save(tmp_path / "palette.png")
    picture.convert("L").save(tmp_path / "grey.png")
    with pytest.raises(InputError, match=r"colour\.png: expected one channel .* 3 channels"):
        stored_maps.read_depth(tmp_path / "colour.png")
    with pytest.raises(InputError, match=r"palette\.png: expected one channel .* a palette"):
        stored_maps.read_depth(tmp_path / "palette.png")
    with pytest.raises(InputError, match=r"grey\.png: a normal map has three channels, got 1"):
        stored_maps.read_normals(tmp_path / "grey.png")


@pytest.mark.parametrize("name", ["a.png", "a.npy", "a.exr", "a.tiff", "a.npz", "a.jpg"])
def test_missing_and_unreadable_files_are_named(tmp_path, name):
    readers = ("read_depth", "read_normals", "read_mask", "read_confidence")
    for reader in readers:
        with pytest.raises(InputError, match=name):
            getattr(stored_maps, reader)(tmp_path / name)
    (tmp_path / name).write_bytes(b"nothing of the kind")
    for reader in readers:
        with pytest.raises(InputError, match=name):
            getattr(stored_maps, reader)(tmp_path / name)
