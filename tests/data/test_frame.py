import re

import numpy as np
import pytest
import torch
from own_data import REAL, array, picture, plane, row
from PIL import Image

from monostep.data.frame import load
from monostep.data.manifest import Declaration, Row
from monostep.errors import InputError
from monostep.files import png16

METRES = Declaration(name="own")
real = pytest.mark.skipif(not REAL.is_dir(), reason="real data not present")


def test_everything_there_is(tmp_path):
    confidence = array(tmp_path / "c.npy", np.full((3, 4), 0.5))
    own = row(tmp_path, confidence=confidence, intrinsics_px=(5.0, 6.0, 4.0, 3.0))
    frame = load(own, METRES)
    pixels = np.asarray(Image.open(own.image))
    assert torch.equal((frame.image * 255).round(), torch.tensor(pixels).permute(2, 0, 1).float())
    assert torch.equal(frame.depth_m, torch.from_numpy(plane()))
    assert frame.valid.all()
    assert frame.has_normals
    assert frame.intrinsics is not None
    assert frame.intrinsics.tolist() == [[5, 0, 4], [0, 6, 3], [0, 0, 1]]
    assert frame.confidence is not None
    assert torch.equal(frame.confidence, torch.full((6, 8), 0.5))


def test_what_is_not_there_is_said(tmp_path):
    frame = load(row(tmp_path), METRES)
    assert not frame.has_normals
    assert not frame.normals.any()
    assert frame.intrinsics is None
    assert frame.confidence is None
    assert not frame.sky.any()


def test_normals_that_are_not_wanted_are_not_read(tmp_path):
    own = row(tmp_path, normals=tmp_path / "broken.npy")
    own.normals.write_bytes(b"nothing")
    frame = load(own, METRES, normals=False)
    assert not frame.has_normals
    assert not frame.normals.any()
    with pytest.raises(InputError, match=r"broken\.npy"):
        load(own, METRES)


def test_images_of_16_bits_keep_them(tmp_path):
    codes = np.random.default_rng(0).integers(0, 65536, (6, 8, 3)).astype(np.uint16)
    own = row(tmp_path)
    own.image.write_bytes(png16.encode(codes, {}))
    image = load(own, METRES).image
    assert torch.equal(
        (image * 65535).round(), torch.tensor(codes.astype(np.float32)).permute(2, 0, 1)
    )


def test_images_are_upright_and_their_maps_must_be(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[274] = 6  # turn a quarter clockwise
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    depth = array(tmp_path / "a.npy", plane((6, 8)))
    frame = load(Row(image=tmp_path / "a.png", depth=depth), METRES)
    upright = torch.tensor(np.rot90(pixels, -1).copy()).permute(2, 0, 1)
    assert torch.equal((frame.image * 255).round(), upright.float())
    with pytest.raises(InputError, match="size 6x8 does not fit the image's size 8x6"):
        load(Row(image=tmp_path / "a.png", depth=array(tmp_path / "a.npy", plane((8, 6)))), METRES)


@pytest.mark.parametrize("part", ["image", "depth", "normals", "mask", "confidence"])
@pytest.mark.parametrize("content", [None, b"", b"nothing of the kind"])
def test_the_file_that_cannot_be_read_is_named(tmp_path, part, content):
    path = tmp_path / f"{part}.broken.png"
    if content is not None:
        path.write_bytes(content)
    files = {"image": picture(tmp_path / "a.png"), "depth": array(tmp_path / "a.npy", plane())}
    with pytest.raises(InputError, match=re.escape(str(path))) as error:
        load(Row(**{**files, part: path}), METRES)
    assert "\n" not in str(error.value)


@real
def test_a_real_frame_in_millimetres():
    own = Row(
        image=REAL / "hololens" / "images" / "00060.png",
        depth=REAL / "hololens" / "depth" / "00060.png",
        intrinsics_px=(495.57, 495.48, 269.5, 169.19),
    )
    frame = load(own, Declaration(name="hololens", unit="mm"))
    codes = np.asarray(Image.open(REAL / "hololens" / "depth" / "00060.png"))
    assert frame.image.shape == (3, 360, 540)
    assert torch.equal(frame.valid, torch.from_numpy(codes > 0))
    assert frame.depth_m.max() == pytest.approx(codes.max() / 1000)
    length = frame.normals.norm(dim=0)
    assert ((length - 1).abs() < 1e-5)[length > 0].all()
    assert (length[frame.valid] > 0).float().mean() > 0.95


@real
def test_a_real_frame_whose_depth_is_smaller():
    own = Row(
        image=REAL / "promptda_arkit" / "image.jpg",
        depth=REAL / "promptda_arkit" / "arkit_depth.png",
    )
    frame = load(own, Declaration(name="arkit", unit="mm"))
    assert frame.depth_m.shape == (1440, 1920)
    assert frame.valid.all()
    assert (frame.depth_m.min(), frame.depth_m.max()) == (
        pytest.approx(1.566),
        pytest.approx(3.512),
    )
    assert frame.depth_m.unique().numel() <= 256 * 192


@real
def test_a_real_frame_of_half_floats_whose_normals_agree_with_its_depth():
    """ClearGrasp: OpenEXR, normals x right, y up, z backward."""
    folder, stem = REAL / "cleargrasp" / "real-val" / "d435", "000000123"
    own = Row(
        image=folder / f"{stem}-opaque-rgb-img.jpg",
        depth=folder / f"{stem}-opaque-depth-img.exr",
        intrinsics_px=(921.0, 921.0, 642.0, 359.0),
    )
    stored = Row(image=own.image, depth=own.depth, normals=folder / f"{stem}-normals.exr")
    declaration = Declaration(name="cleargrasp", frame="opengl")
    derived, given = load(own, declaration), load(stored, declaration)
    assert torch.equal(derived.depth_m, given.depth_m)
    both = given.valid & given.normals.any(dim=0) & derived.normals.any(dim=0)
    cosine = (given.normals * derived.normals).sum(dim=0)[both]
    assert cosine.clamp(-1, 1).arccos().rad2deg().median() < 30  # a noisy sensor
    for frame in ("opencv", "directx", "dsine"):
        wrong = load(stored, Declaration(name="cleargrasp", frame=frame))
        other = (wrong.normals * derived.normals).sum(dim=0)[both]
        assert other.mean() < cosine.mean()
