from pathlib import Path

import pytest

from monostep.data.manifest_paths import from_text, to_text
from monostep.errors import InputError


def test_there_and_back(tmp_path):
    folder = tmp_path.resolve() / "sets" / "own"
    folder.mkdir(parents=True)
    for path in (
        folder / "a.png",
        folder / "b" / "ä b.png",
        folder.parent / "c.png",
        Path("/d.png"),
    ):
        assert from_text(to_text(path, folder=folder), folder=folder) == path


def test_below_the_folder_links_keep_their_names_and_beyond_it_they_are_followed(tmp_path):
    tmp_path = tmp_path.resolve()
    (tmp_path / "big" / "images").mkdir(parents=True)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "images").symlink_to(tmp_path / "big" / "images")
    inside = tmp_path / "own" / "images" / "a.png"
    assert to_text(inside, folder=tmp_path / "own") == "images/a.png"
    # The parent of the link's target is not the folder in which the link lies.
    linked = tmp_path / "own" / "images"
    assert to_text(tmp_path / "own" / "b.png", folder=linked) == "../../own/b.png"
    (tmp_path / "own" / "b.png").touch()
    assert (linked / "../../own/b.png").exists()


def test_absolute_paths_stay(tmp_path):
    assert from_text("/data/a.png", folder=tmp_path) == Path("/data/a.png")


@pytest.mark.parametrize("value", [3, None, ["a"], "a\0b"])
def test_what_is_no_path(value, tmp_path):
    with pytest.raises(InputError, match="expected the path of a file"):
        from_text(value, folder=tmp_path)
