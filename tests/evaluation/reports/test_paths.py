import pytest

from monostep.errors import OutputError, SettingError
from monostep.evaluation.reports import paths as report_paths


def test_a_stem_has_only_signs_that_every_file_system_allows():
    assert report_paths.stem("toy", "", "a b/c: d") == "toy-a-b-c-d"
    assert report_paths.stem("toy") == "toy"


@pytest.mark.parametrize("other", ["a b", "A-B"])
def test_stems_that_would_share_a_file_are_refused_with_both_owners(other):
    named = [("first", report_paths.stem("a-b")), ("c", "c"), ("second", report_paths.stem(other))]
    with pytest.raises(SettingError, match=r"first and second: .*\.json"):
        report_paths.check_distinct(named)
    report_paths.check_distinct(named[:2])


def test_the_same_twice_is_said_as_that():
    with pytest.raises(SettingError, match="a is asked for twice"):
        report_paths.check_distinct([("a", "a"), ("a", "a")])


@pytest.mark.parametrize("ending", report_paths.ENDINGS)
def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path, ending):
    report_paths.check_free(tmp_path, "toy")
    (tmp_path / f"toy.{ending}").mkdir()
    with pytest.raises(OutputError, match=rf"toy\.{ending}: a folder"):
        report_paths.check_free(tmp_path, "toy")


def test_one_generation_is_put_aside_and_nothing_older_stays_among_it(tmp_path):
    for ending in ("json", "csv"):
        (tmp_path / f"toy.{ending}").write_text("first")
    report_paths.put_aside(tmp_path, "toy")
    (tmp_path / "toy.json").write_text("second")
    report_paths.put_aside(tmp_path, "toy")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "toy.old.json": "second"
    }


def test_what_cannot_be_put_aside_is_our_error(tmp_path):
    (tmp_path / "toy.json").write_text("")
    (tmp_path / "toy.old.json" / "full").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"toy\.json: cannot be put aside"):
        report_paths.put_aside(tmp_path, "toy")
