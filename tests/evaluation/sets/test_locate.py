import shutil
import tarfile

import pytest

from monostep.errors import InputError
from monostep.evaluation.sets.lists import Sample, Templates
from monostep.evaluation.sets.locate import locate

TAR = "nyuv2/nyu_labeled_extracted.tar"
TEMPLATES = Templates(image="test/{scene}/rgb_{frame}.png", depth="test/{scene}/d_{frame}.png")
IMAGE = "test/kitchen/rgb_1.png"


def planted(root):
    (root / IMAGE).parent.mkdir(parents=True)
    (root / IMAGE).write_bytes(b"image")
    return root


def packed(root, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        tar.add(root, arcname=".")
    shutil.rmtree(root)
    return path


@pytest.mark.parametrize(
    "place", ["nyuv2/nyu_labeled_extracted", "nyuv2", "nyu_labeled_extracted", ".", "my/own/nyu"]
)
def test_a_folder_is_found_wherever_it_was_unpacked(tmp_path, place):
    planted(tmp_path / "data" / place)
    archive = locate(tmp_path / "data", TAR, TEMPLATES)
    assert archive.names() == [IMAGE]
    assert archive.read(IMAGE) == b"image"


@pytest.mark.parametrize("place", [TAR, "nyu_labeled_extracted.tar"])
@pytest.mark.parametrize("given", ["folder", "tar"])
def test_a_tar_is_found_in_its_place_and_may_have_folders_on_top(tmp_path, place, given):
    planted(tmp_path / "files" / "some/top")
    tar = packed(tmp_path / "files", tmp_path / "data" / place)
    archive = locate(tar if given == "tar" else tmp_path / "data", TAR, TEMPLATES)
    assert archive.names() == [IMAGE]
    assert archive.where(IMAGE) == f"{tar}: some/top/{IMAGE}"


def test_the_tar_is_preferred_to_what_lies_beside_it(tmp_path):
    planted(tmp_path / "files")
    tar = packed(tmp_path / "files", tmp_path / "data" / TAR)
    planted(tmp_path / "data/nyuv2")
    assert locate(tmp_path / "data", TAR, TEMPLATES).path == tar


def test_a_list_finds_files_that_the_templates_do_not_know(tmp_path):
    (tmp_path / "data/nyuv2/top/train").mkdir(parents=True)
    for name in ("a.jpg", "b.png"):
        (tmp_path / "data/nyuv2/top/train" / name).write_bytes(b"x")
    listed = [
        Sample(image="train/none.jpg", depth="x"),
        Sample(image="train/a.jpg", depth="train/b.png"),
    ]
    archive = locate(tmp_path / "data", TAR, TEMPLATES, listed)
    assert archive.names() == ["train/a.jpg", "train/b.png"]
    with pytest.raises(InputError, match=r"no files as the listed else\.jpg"):
        locate(tmp_path / "data", TAR, TEMPLATES, [Sample(image="else.jpg", depth="y")])


def test_what_is_not_there_is_said_with_where_it_was_sought(tmp_path):
    with pytest.raises(InputError, match="no such file or folder"):
        locate(tmp_path / "none", TAR, TEMPLATES)
    with pytest.raises(InputError, match=r"expected nyuv2/nyu_labeled_extracted\.tar, or") as error:
        locate(tmp_path, TAR, TEMPLATES)
    assert TEMPLATES.image in str(error.value)


def test_two_copies_are_not_mixed(tmp_path):
    planted(tmp_path / "old")
    planted(tmp_path / "new")
    with pytest.raises(InputError, match=r"below 2 folders \('new', 'old'\); give one"):
        locate(tmp_path, TAR, TEMPLATES)
    assert locate(tmp_path / "new", TAR, TEMPLATES).names() == [IMAGE]


@pytest.mark.parametrize("given", ["test", "test/kitchen"])
def test_a_part_of_the_set_is_refused_with_the_folder_that_was_meant(tmp_path, given):
    root = planted(tmp_path / "my")
    for listed in (None, [Sample(image=IMAGE, depth="x")]):
        with pytest.raises(InputError, match="part of the data set") as error:
            locate(root / given, TAR, TEMPLATES, listed)
        assert str(error.value).endswith(f"give {root.resolve()}")
    assert locate(root, TAR, TEMPLATES).names() == [IMAGE]


def test_the_expected_place_may_be_told(tmp_path):
    with pytest.raises(InputError, match=r"expected some folder$"):
        locate(tmp_path, TAR, TEMPLATES, expected="some folder")
