from pathlib import Path

import pytest

from monostep.evaluation.predictions.files import assign
from monostep.evaluation.predictions.names import Folders


def _folder(path, *names):
    for name in names:
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    return path


def _assign(path, *images, task="depth", benchmark=None):
    return assign(path, images, task=task, places=Folders(images, benchmark))


@pytest.mark.parametrize(
    ("image", "file"),
    [
        ("sub/a.jpg", "sub/a.depth.npy"),
        ("sub/a.jpg", "sub/a.jpg.depth.npz"),
        ("sub/a.jpg", "sub/a.depth.exr"),
        ("test/kitchen_0004/rgb_0001.png", "test/kitchen_0004/pred_0001.npy"),
        ("test/kitchen_0004/rgb_0001.png", "nyuv2/test/kitchen_0004/pred_rgb_0001.npy"),
        ("test/kitchen_0004/rgb_0001.png", "pred_0001.npy"),
        ("sub/a.jpg", "depth_npy/a_pred.npy"),
        ("sub/a.jpg", "depth_bw/a_pred.png"),
        ("sub/a.jpg", "depth_npy/a_depth.npy"),
        ("sub/a.jpg", "depth/a.npy"),
        ("sub/a.jpg", "sub/a.TIFF"),
        ("sub/a.jpg", "a.tif"),
        ("sub/a.jpg", "sub/a.jpg.npy"),
        ("sub/a.jpg", "nyuv2/sub/a.jpg.npy"),
        ("sub/a.jpg", "depth/a.jpg.npz"),
        ("test/kitchen_0004/rgb_0001.png", "test_kitchen_0004_rgb_0001.npy"),
        ("test/kitchen_0004/rgb_0001.png", "nyuv2/test__kitchen_0004__rgb_0001.exr"),
        ("test/kitchen_0004/rgb_0001.png", "test_kitchen_0004_rgb_0001.png.npy"),
        ("frame.0000.color.jpg", "frame.0000.color.depth.npy"),
    ],
)
def test_each_name_is_found(tmp_path, image, file):
    assert _assign(_folder(tmp_path, file), image, benchmark="nyuv2").files == {image: file}


@pytest.mark.parametrize(
    "file", ["normal_npy/a_pred.npy", "normals_npy/a_normals.npy", "normal/a.npy", "a.normals.exr"]
)
def test_normals_have_names_of_their_own(tmp_path, file):
    _folder(tmp_path, file)
    assert _assign(tmp_path, "a.jpg", task="normals").files == {"a.jpg": file}
    assert _assign(tmp_path, "a.jpg", task="depth").files == {}


def test_the_surest_name_wins_and_floats_before_codes(tmp_path):
    _folder(tmp_path, "a.depth.png", "a.npy", "depth_npy/a_pred.npy")
    assert _assign(tmp_path, "a.jpg").files == {"a.jpg": "a.depth.png"}
    _folder(tmp_path, "a.depth.npy", "a.depth.preview.png")
    assert _assign(tmp_path, "a.jpg").files == {"a.jpg": "a.depth.npy"}


def test_two_files_of_equally_sure_names_are_no_prediction(tmp_path):
    _folder(tmp_path, "a_pred.npy", "depth_npy/a_pred.npy", "b.npy")
    found = _assign(tmp_path, "a.jpg", "b.jpg")
    assert found.files == {"b.jpg": "b.npy"}
    assert "both a_pred.npy and depth_npy/a_pred.npy" in found.problems["a.jpg"]


def test_one_file_is_nobodys_if_it_could_be_of_two(tmp_path):
    _folder(tmp_path, "a.npy")
    found = _assign(tmp_path, "a.jpg", "a.png")
    assert not found.files
    assert "a.npy could be the prediction of both a.jpg and a.png" in found.problems["a.png"]
    _folder(tmp_path, "a.jpg.depth.npy", "a.png.depth.npy")
    assert _assign(tmp_path, "a.jpg", "a.png").files == {
        "a.jpg": "a.jpg.depth.npy",
        "a.png": "a.png.depth.npy",
    }


def test_a_file_is_that_of_the_image_whose_name_it_has_in_full(tmp_path):
    _folder(tmp_path, "pred_1.npy")
    found = _assign(tmp_path, "a_1.png", "1.png")
    assert found.files == {"1.png": "pred_1.npy"}
    assert "pred_1.npy is that of 1.png" in found.problems["a_1.png"]


def test_images_of_one_stem_are_told_apart_by_their_folders_only(tmp_path):
    _folder(tmp_path, "s1/color/000300.npy", "000300.npy")
    found = _assign(tmp_path, "s1/color/000300.jpg", "s2/color/000300.jpg")
    assert found.files == {"s1/color/000300.jpg": "s1/color/000300.npy"}
    assert "no prediction of s2/color/000300.jpg" in found.problems["s2/color/000300.jpg"]


def test_what_is_missing_is_said_with_the_names_that_were_tried(tmp_path):
    (problem,) = _assign(tmp_path, "sub/rgb_1.png").problems.values()
    assert problem.startswith(f"{tmp_path}: no prediction of sub/rgb_1.png; looked for")
    assert "pred_1" in problem
    assert ".npz" in problem
    assert "\n" not in problem


def test_hidden_files_and_other_endings_do_not_count_and_links_end(tmp_path):
    _folder(tmp_path, ".a.npy", "a.jpg", "._a.depth.npy")
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    assert _assign(tmp_path, "a.jpg").files == {}


def test_a_linked_folder_is_looked_into(tmp_path):
    _folder(tmp_path / "elsewhere", "a.npy")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "sub").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert _assign(tmp_path / "here", "sub/a.png").files == {"sub/a.png": str(Path("sub/a.npy"))}


def test_whole_file_names_tell_two_formats_apart(tmp_path):
    _folder(tmp_path, "a.jpg.npy", "a.png.npy")
    assert _assign(tmp_path, "a.jpg", "a.png").files == {"a.jpg": "a.jpg.npy", "a.png": "a.png.npy"}


def test_a_flat_name_is_nobodys_if_two_images_have_it_and_first_a_plain_one(tmp_path):
    _folder(tmp_path, "a_b_c.npy")
    found = _assign(tmp_path, "a/b_c.png", "a_b/c.png")
    assert not found.files
    assert "a_b_c.npy could be the prediction of both" in found.problems["a/b_c.png"]
    found = _assign(tmp_path, "a/b_c.png", "a_b_c.png")
    assert found.files == {"a_b_c.png": "a_b_c.npy"}


def test_a_link_that_leads_nowhere_is_no_prediction(tmp_path):
    _folder(tmp_path, "b.npy")
    (tmp_path / "a.npy").symlink_to(tmp_path / "gone.npy")
    found = _assign(tmp_path, "a.png", "b.png")
    assert found.files == {"b.png": "b.npy"}
    assert "no prediction of a.png" in found.problems["a.png"]
