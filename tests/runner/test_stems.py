from pathlib import Path

import pytest

from monostep.errors import InputError
from monostep.runner.stems import Source, assign


def stems(*paths: str, base: str | None = None) -> list[str]:
    return assign(
        [Source(path=Path(p), base=Path(base) if base else Path(p).parent) for p in paths]
    )


def test_a_file_is_called_by_its_name_without_ending():
    assert stems("/p/a.jpg", "/p/b.c.png", "/p/none") == ["a", "b.c", "none"]


def test_below_a_folder_the_way_there_is_kept():
    assert stems("/p/sub/a.jpg", "/p/a.jpg", base="/p") == ["sub/a", "a"]


def test_two_of_one_name_keep_their_endings_and_others_do_not():
    assert stems("/p/a.jpg", "/p/a.png", "/p/b.png") == ["a.jpg", "a.png", "b"]


def test_case_and_accents_alone_do_not_tell_names_apart():
    assert stems("/p/a.jpg", "/p/A.png") == ["a.jpg", "A.png"]
    assert stems("/p/e\u0301.jpg", "/p/\u00e9.png") == ["e\u0301.jpg", "\u00e9.png"]


def test_same_name_and_ending_take_folder_names_until_unique():
    assert stems("/p/a/x.jpg", "/p/b/x.jpg") == ["a/x", "b/x"]
    assert stems("/p/1/r/x.jpg", "/p/2/r/x.jpg") == ["1/r/x", "2/r/x"]
    assert stems("/p/a/x.jpg", "/p/a/x.png", "/p/b/x.jpg") == ["a/x", "x.png", "b/x"]


def test_a_name_made_longer_does_not_take_that_of_another():
    assert len(set(stems("/p/a.jpg", "/p/a.png", "/p/a.jpg.png", "/p/a.jpg.gif"))) == 4


def test_paths_that_differ_in_case_only_are_numbered_whatever_their_order():
    assert stems("/p/a.jpg", "/p/A.jpg") == ["a~2", "A"]
    assert stems("/p/A.jpg", "/p/a.jpg") == ["A", "a~2"]


def test_what_no_name_can_tell_apart_is_an_error_and_not_an_endless_search():
    with pytest.raises(InputError, match="rename"):
        stems("/a.jpg", "/A.jpg", "/a~2.jpg", "/a.jpg~2")
