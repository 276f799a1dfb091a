import io
import os
from pathlib import Path

import pytest

from monostep.errors import SettingError
from monostep.runner import inputs


@pytest.fixture
def photos(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in (
        "photos/b.PNG",
        "photos/a.jpg",
        "photos/sub/deep/c.webp",
        "photos/sub/a.tif",
        "photos/notes.txt",
        "photos/.hidden.jpg",
        "photos/.cache/x.jpg",
    ):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    return tmp_path


def find(*named: str, output: str = "out", recursive: bool = True) -> list[tuple[str, str]]:
    found = inputs.find(named, output=Path(output), recursive=recursive)
    assert not found.absent
    return [(str(job.source), job.stem) for job in found.jobs]


@pytest.mark.usefixtures("photos")
class TestFind:
    def test_a_folder_yields_images_below_it_by_name_and_nothing_hidden(self):
        assert find("photos") == [
            ("photos/a.jpg", "a"),
            ("photos/b.PNG", "b"),
            ("photos/sub/a.tif", "sub/a"),
            ("photos/sub/deep/c.webp", "sub/deep/c"),
        ]

    def test_not_recursive_leaves_inner_folders_out(self):
        assert [stem for _, stem in find("photos", recursive=False)] == ["a", "b"]

    def test_files_are_taken_as_given_whatever_their_ending(self):
        named = ["photos/sub/deep/c.webp", "photos/notes.txt", "photos/.hidden.jpg"]
        assert [stem for _, stem in find(*named)] == ["c", "notes", ".hidden"]

    def test_the_same_file_counts_once_where_it_came_first(self):
        assert find("photos/a.jpg", "./photos/sub/../a.jpg", "photos", recursive=False) == [
            ("photos/a.jpg", "a"),
            ("photos/b.PNG", "b"),
        ]

    def test_patterns_keep_the_way_below_their_fixed_part(self):
        assert [stem for _, stem in find("photos/*")] == ["a", "b"]
        assert [stem for _, stem in find("photos/**/*")] == ["a", "b", "sub/a", "sub/deep/c"]
        assert [stem for _, stem in find("photos/**/*.t?f")] == ["sub/a"]
        assert [stem for _, stem in find("photos/*.txt")] == ["notes"]  # spelt out: tried

    def test_a_name_that_looks_like_a_pattern_is_a_file_first(self):
        Path("a[1].jpg").touch()
        assert find("a[1].jpg") == [("a[1].jpg", "a[1]")]

    def test_two_folders_with_the_same_content_stay_apart(self):
        for folder in ("one", "two"):
            Path(folder).mkdir()
            Path(folder, "x.jpg").touch()
        assert [stem for _, stem in find("one", "two")] == ["one/x", "two/x"]

    def test_the_output_folder_inside_the_input_is_not_searched(self):
        assert [stem for _, stem in find("photos", output="photos/sub")] == ["a", "b"]
        assert [stem for _, stem in find("photos/**/*", output="photos/sub")] == ["a", "b"]

    def test_results_beside_the_photographs_are_not_taken_for_photographs(self):
        for name in ("a.json", "a.depth.png", "a.normals.preview.png", "z.depth.png"):
            Path("photos", name).touch()
        stems = [stem for _, stem in find("photos", output="photos", recursive=False)]
        assert stems == ["a", "b", "z.depth"]
        assert [stem for _, stem in find("photos/*", output="photos")] == stems

    def test_what_is_not_there_is_named_and_the_rest_is_found(self):
        Path("empty").mkdir()
        named = ["gone.jpg", "photos/a.jpg", "no*.jpg", "empty", "a" * 300 + ".jpg", "nul\0.jpg"]
        found = inputs.find(named, output=Path("out"))
        assert [job.stem for job in found.jobs] == ["a"]
        assert [absent.named for absent in found.absent] == [named[0], *named[2:]]
        assert all(absent.reason.startswith(absent.named) for absent in found.absent)

    def test_a_pipe_is_refused_and_not_waited_for(self):
        os.mkfifo("pipe.jpg")
        assert "neither a file" in inputs.find(["pipe.jpg"], output=Path("out")).absent[0].reason

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read anywhere")
    def test_an_unreadable_inner_folder_is_named(self):
        Path("photos/sub").chmod(0)
        found = inputs.find(["photos"], output=Path("out"))
        Path("photos/sub").chmod(0o700)
        assert [job.stem for job in found.jobs] == ["a", "b"]
        assert found.absent[0].named == "photos/sub"


def test_a_list_has_one_path_a_line(tmp_path, monkeypatch):
    text = b"\xef\xbb\xbfa b.jpg\r\n\n#c.jpg\nd\xff.jpg"
    (tmp_path / "list").write_bytes(text)
    expected = ["a b.jpg", "#c.jpg", os.fsdecode(b"d\xff.jpg")]
    assert inputs.read_list(str(tmp_path / "list")) == expected
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert inputs.read_list("-") == expected


def test_a_list_that_is_not_there_is_a_wrong_setting():
    with pytest.raises(SettingError, match="gone"):
        inputs.read_list("gone")
