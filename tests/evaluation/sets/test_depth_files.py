import io

import numpy as np
import pytest
import torch
from PIL import Image

from monostep.errors import InputError
from monostep.evaluation.sets import depth_files
from monostep.evaluation.sets.archive import Archive
from monostep.evaluation.sets.depth_layouts import GARG, LAYOUTS, Box
from monostep.evaluation.sets.lists import Sample
from monostep.files import png16

RANDOM = np.random.default_rng(0)
PNG = Sample(image="rgb.png", depth="depth.png")
RAW = Sample(image="rgb.JPG", depth="depth.JPG")
NPY = Sample(image="rgb.png", depth="depth.npy", mask="mask.npy")


def archive(tmp_path, **contents):
    for name, data in contents.items():
        (tmp_path / name.replace("_", ".")).write_bytes(data)
    return Archive(tmp_path)


def npy(values):
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def picture(values, kind="PNG", **settings):
    file = io.BytesIO()
    Image.fromarray(values).save(file, kind, **settings)
    return file.getvalue()


@pytest.mark.parametrize(("decoding", "per_m"), [("png / 1000", 1000), ("png / 256", 256)])
def test_every_code_of_a_png_is_the_float32_nearest_to_its_depth(tmp_path, decoding, per_m):
    codes = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    files = archive(tmp_path, depth_png=picture(codes))
    depth_m = depth_files.read_depth(files, PNG, decoding).numpy()
    assert depth_m.dtype == np.float32
    assert np.array_equal(depth_m, (codes.astype(np.float64) / per_m).astype(np.float32))


@pytest.mark.parametrize(
    "data", [picture(np.ones((4, 4), np.uint8)), png16.encode(np.ones((4, 4, 3), np.uint16), {})]
)
def test_a_picture_of_depth_is_no_depth(tmp_path, data):
    files = archive(tmp_path, depth_png=data)
    with pytest.raises(InputError, match=r"depth\.png: expected depth as 16-bit grey"):
        depth_files.read_depth(files, PNG, "png / 1000")


def test_raw_depth_has_the_images_size_and_no_infinity(tmp_path):
    values = RANDOM.random((6, 9)).astype("<f4")
    values[0, :3] = np.inf, -np.inf, np.nan
    image = picture(np.zeros((6, 9, 3), np.uint8), "JPEG")
    files = archive(tmp_path, depth_JPG=values.tobytes(), rgb_JPG=image)
    depth_m = depth_files.read_depth(files, RAW, "raw float32, inf is 0").numpy()
    assert depth_m[0, :3].tolist() == [0, 0, 0]
    assert np.array_equal(depth_m.ravel()[3:], values.ravel()[3:])


def test_raw_depth_of_the_published_size_needs_no_image(tmp_path):
    height, width = depth_files.RAW_SIZE
    with (tmp_path / "depth.JPG").open("wb") as file:
        file.truncate(4 * height * width)
    depth_m = depth_files.read_depth(Archive(tmp_path), RAW, "raw float32, inf is 0")
    assert depth_m.shape == (4032, 6048)
    assert not depth_m.any()


@pytest.mark.parametrize("with_image", [False, True])
def test_raw_depth_of_a_wrong_size_says_the_right_one(tmp_path, with_image):
    files = archive(tmp_path, depth_JPG=bytes(4 * 6 * 9 - 1))
    if with_image:
        files = archive(tmp_path, rgb_JPG=picture(np.zeros((6, 9, 3), np.uint8), "JPEG"))
    size, count = ("6 x 9", 216) if with_image else ("4032 x 6048", 97542144)
    with pytest.raises(InputError, match=rf"depth\.JPG: 215 bytes; .* {size} pixels has {count};"):
        depth_files.read_depth(files, RAW, "raw float32, inf is 0")


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1), (1, 4, 6)])
@pytest.mark.parametrize("kind", ["<f4", "<f8", ">f4"])
def test_an_axis_of_one_in_npy_is_none(tmp_path, shape, kind):
    values = RANDOM.random(shape).astype(kind)
    files = archive(tmp_path, depth_npy=npy(values))
    depth_m = depth_files.read_depth(files, NPY, "npy").numpy()
    assert np.array_equal(depth_m, values.reshape(4, 6).astype(np.float32))


def test_npy_that_is_no_map(tmp_path):
    for values in (np.zeros((4, 6, 3)), np.zeros(6), np.zeros((0, 4)), np.array(["a"])):
        files = archive(tmp_path, depth_npy=npy(values))
        with pytest.raises(InputError, match=r"depth\.npy: expected numbers \[height, width\]"):
            depth_files.read_depth(files, NPY, "npy")


@pytest.mark.parametrize("name", ["nyuv2", "kitti", "eth3d", "scannet"])
def test_truth_on_the_limits_does_not_count(tmp_path, name):
    near, far = (np.float32(limit) for limit in LAYOUTS[name].valid_m)
    above, below = np.nextafter(near, far), np.nextafter(far, near)
    depth_m = torch.tensor([[0, near, above, 1], [5, below, far, -1]])
    valid = depth_files.read_valid(archive(tmp_path), PNG, LAYOUTS[name], depth_m)
    assert valid.tolist() == [[False, False, True, True], [True, True, False, False]]


def test_diodes_mask_alone_decides(tmp_path):
    mask = np.array([[0, 1.0], [1, 0]])
    files = archive(tmp_path, mask_npy=npy(mask))
    depth_m = torch.tensor([[3.0, 400.0], [0.0, 0.0]])
    valid = depth_files.read_valid(files, NPY, LAYOUTS["diode"], depth_m)
    assert valid.tolist() == (mask > 0).tolist()


def test_a_mask_of_another_size(tmp_path):
    files = archive(tmp_path, mask_npy=npy(np.ones((4, 5))))
    with pytest.raises(InputError, match=r"mask\.npy: the mask is 4 x 5, the depth 4 x 6"):
        depth_files.read_valid(files, NPY, LAYOUTS["diode"], torch.ones(4, 6))


@pytest.mark.parametrize("size", [(375, 1242), (370, 1224), (376, 1241), (352, 1216)])
def test_kittis_crop_keeps_the_bottom_and_the_middle(size):
    values = torch.arange(size[0] * size[1]).reshape(1, *size)
    cropped = depth_files.crop(values, "a")
    assert cropped.shape == (1, 352, 1216)
    top, left = size[0] - 352, int((size[1] - 1216) / 2)
    assert torch.equal(cropped, values[:, top : top + 352, left : left + 1216])


@pytest.mark.parametrize("size", [(351, 1242), (375, 1215)])
def test_a_map_smaller_than_the_crop(size):
    with pytest.raises(InputError, match=f"a: {size[0]} x {size[1]} pixels; .* 352 x 1216"):
        depth_files.crop(torch.zeros(size), "a")


def test_a_box_keeps_its_rows_and_columns():
    box = Box(rows=(1, 3), columns=(2, 5), of=(4, 6))
    kept = depth_files.inside(torch.ones(4, 6, dtype=torch.bool), box, "a")
    assert kept.nonzero().tolist() == [[y, x] for y in (1, 2) for x in (2, 3, 4)]
    nothing = depth_files.inside(torch.zeros(4, 6, dtype=torch.bool), box, "a")
    assert not nothing.any()
    with pytest.raises(InputError, match="a: 4 x 6 pixels; this benchmark has 352 x 1216"):
        depth_files.inside(kept, GARG, "a")
    assert depth_files.inside(kept, None, "a") is kept


def test_images_are_the_codes_as_stored(tmp_path):
    colours = RANDOM.integers(0, 256, (5, 7, 3)).astype(np.uint8)
    exif = Image.Exif()
    exif[274] = 3  # upside down, if anybody turned it
    files = archive(tmp_path, rgb_png=picture(colours, exif=exif))
    image = depth_files.read_image(files, "rgb.png")
    assert image.dtype == torch.float32
    assert image.is_contiguous()
    expected = colours.astype(np.float32).transpose(2, 0, 1) / np.float32(255)
    assert np.array_equal(image.numpy(), expected)


@pytest.mark.parametrize("name", ["rgb.png", "none.png"])
def test_a_damaged_or_missing_image_is_named(tmp_path, name):
    files = archive(tmp_path, rgb_png=picture(np.zeros((50, 50, 3), np.uint8))[:80])
    with pytest.raises(InputError, match=name):
        depth_files.read_image(files, name)
