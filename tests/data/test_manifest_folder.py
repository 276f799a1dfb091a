import json
import shutil

import numpy as np
import pytest
import torch
from own_data import array, grey16, picture, plane
from PIL import Image

from monostep.data.frame import load
from monostep.data.manifest import Declaration, read
from monostep.data.procedural import render
from monostep.data.samples import KINDS
from monostep.data.synthesize import synthesize
from monostep.errors import InputError, MonostepWarning


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rendered").resolve()
    synthesize(folder, seed=5, indices=range(3), size=(24, 32))
    return folder


def test_synthesized_scenes_read_back_are_the_rendered_ones(rendered):
    manifest = read(rendered)
    assert manifest.declaration == Declaration(name=rendered.name)
    truth = render(5, range(3), (24, 32))
    for index, row in enumerate(manifest.rows):
        frame = load(row, manifest.declaration)
        assert torch.equal(frame.depth_m, truth.depth_m[index])
        assert torch.equal(frame.valid, truth.valid[index])
        assert torch.equal(frame.intrinsics, truth.intrinsics[index])
        assert (frame.image - truth.image[index]).abs().max() <= 0.5 / 255 + 1e-6
        torch.testing.assert_close(frame.normals, truth.normals[index], rtol=0, atol=1e-6)
        assert row.kind == KINDS[int(truth.kind[index])]


def test_files_below_are_found_and_the_declaration_is_the_folders(tmp_path):
    (tmp_path / "day").mkdir()
    picture(tmp_path / "day" / "a.b.png")
    grey16(tmp_path / "day" / "a.b.depth.png", plane() * 1000)
    grey16(tmp_path / "day" / "a.b.mask.png", plane())
    grey16(tmp_path / "day" / "a.b.confidence.png", plane())
    (tmp_path / "manifest.json").write_text('{"unit": "mm", "name": "cafe"}')
    manifest = read(tmp_path)
    assert manifest.declaration == Declaration(name="cafe", unit="mm")
    (row,) = manifest.rows
    there = tmp_path.resolve() / "day"
    assert (row.image, row.depth) == (there / "a.b.png", there / "a.b.depth.png")
    assert (row.mask, row.confidence) == (there / "a.b.mask.png", there / "a.b.confidence.png")


def test_the_most_exact_format_is_read_and_results_of_predict_are_no_images(tmp_path):
    picture(tmp_path / "a.jpg")
    array(tmp_path / "a.depth.npy", plane())
    grey16(tmp_path / "a.depth.png", plane())
    picture(tmp_path / "a.depth.preview.png")
    array(tmp_path / "a.uncertainty.npy", plane())
    picture(tmp_path / ".hidden.png")
    (row,) = read(tmp_path).rows
    assert row.depth == tmp_path.resolve() / "a.depth.npy"


def test_images_without_truth_are_left_out_aloud(tmp_path):
    for name in "ab":
        picture(tmp_path / f"{name}.png")
    array(tmp_path / "a.depth.npy", plane())
    with pytest.warns(MonostepWarning, match=r"1 image\(s\) without depth or normals .* b\.png"):
        assert len(read(tmp_path).rows) == 1


def test_integers_without_a_unit_are_refused(tmp_path):
    picture(tmp_path / "a.png")
    grey16(tmp_path / "a.depth.png", plane())
    with pytest.raises(
        InputError, match=r'a\.depth\.png: the unit .*manifest\.json .*"unit": "mm"'
    ):
        read(tmp_path)


def test_units_that_differ_are_refused(rendered, tmp_path):
    folder = shutil.copytree(rendered, tmp_path / "own")
    about = json.loads((folder / "000001.json").read_text())
    about["depth"]["unit"] = "mm"
    (folder / "000001.json").write_text(json.dumps(about))
    with pytest.raises(InputError, match=r"unit .*one folder has one unit"):
        read(folder)
    (folder / "manifest.json").write_text('{"unit": "m"}')
    with pytest.raises(InputError, match=r"000001\.json: unit 'mm', but .*manifest\.json says 'm'"):
        read(folder)


def test_a_unit_that_only_one_image_declares_is_not_the_others(tmp_path):
    for name in "ab":
        picture(tmp_path / f"{name}.png")
        array(tmp_path / f"{name}.depth.npy", plane())
    (tmp_path / "a.json").write_text('{"depth": {"unit": "mm"}}')
    with pytest.raises(InputError, match=r"b: unit not declared, elsewhere mm; .*manifest\.json"):
        read(tmp_path)
    (tmp_path / "manifest.json").write_text('{"unit": "mm"}')
    assert read(tmp_path).declaration.unit == "mm"


@pytest.mark.parametrize("name", ["a.depth.npy", "a.depth.npz", "a.depth.tiff", "a.depth.PNG"])
def test_integers_of_any_format_without_a_unit_are_refused(tmp_path, name):
    picture(tmp_path / "a.png")
    codes = (plane() * 1000).astype(np.uint16)
    if name.endswith("npy"):
        np.save(tmp_path / name, codes)
    elif name.endswith("npz"):
        np.savez(tmp_path / name, depth=codes)
    else:
        Image.fromarray(codes).save(tmp_path / name)
    with pytest.raises(InputError, match=r"the unit of its integers is not declared"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("b.depth.npy", "b: expected one image, got none"),
        ("a.jpg", r"a: expected one image, got a\.jpg and a\.png"),
        ("a.mask.png a.valid.png", r"a: expected one mask, got a\.mask\.png and a\.valid\.png"),
    ],
)
def test_files_that_do_not_make_a_row(tmp_path, extra, message):
    picture(tmp_path / "a.png")
    array(tmp_path / "a.depth.npy", plane())
    for name in extra.split():
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=message):
        read(tmp_path)


def test_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match="no rows"):
        read(tmp_path)


def test_cameras_of_four_numbers_and_of_nine(tmp_path):
    for name, camera in (("a", [1, 2, 3, 4]), ("b", [[1, 0, 3], [0, 2, 4], [0, 0, 1]])):
        picture(tmp_path / f"{name}.png")
        array(tmp_path / f"{name}.depth.npy", plane())
        (tmp_path / f"{name}.json").write_text(json.dumps({"intrinsics_px": camera}))
    assert [row.intrinsics_px for row in read(tmp_path).rows] == [(1, 2, 3, 4)] * 2
    (tmp_path / "a.json").write_text('{"intrinsics_px": [1]}')
    with pytest.raises(InputError, match=r"a: intrinsics_px \[1\]: expected \[fx, fy, cx, cy\]"):
        read(tmp_path)
