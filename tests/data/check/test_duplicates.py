import numpy as np
import pytest

from monostep.data.check import duplicates
from monostep.data.check.duplicates import Seen
from monostep.data.check.fingerprint import Fingerprint


def _seen(name, *, look, noise=0, manifest="set", split=None, foreign=False, file=None):
    colours = np.random.default_rng(look).integers(40, 200, (16, 16, 3))
    changes = np.random.default_rng(1).integers(-noise, noise + 1, (16, 16, 3))
    return Seen(
        name=name,
        manifest=manifest,
        split=split,
        foreign=foreign,
        fingerprint=Fingerprint(
            digest=(file or name).encode(), colours=(colours + changes).astype(np.uint8)
        ),
    )


def test_different_pictures_are_let_be():
    assert duplicates.find([_seen(str(k), look=k) for k in range(40)]) == []
    assert duplicates.find([]) == []


def test_alike_pictures_within_a_split_warn_once_for_all_of_them():
    seen = [_seen("a", look=1), _seen("b", look=2), _seen("c", look=1, noise=4)]
    (finding,) = duplicates.find([*seen, _seen("d", look=1, noise=2)])
    assert (finding.kind, finding.severity) == ("duplicate", "warning")
    assert finding.images == ("a", "c", "d")
    assert "the same picture 3 times" in finding.message


@pytest.mark.parametrize(
    "other",
    [
        {"split": "validation"},
        {"manifest": "other"},
        {"manifest": "other", "foreign": True},
    ],
)
def test_alike_pictures_on_two_sides_are_errors(other):
    place = {"split": "train"} if "split" in other else {}
    (finding,) = duplicates.find(
        [_seen("a", look=1, **place), _seen("b", look=1, noise=3, **other)]
    )
    assert (finding.kind, finding.severity) == ("leakage", "error")
    assert finding.images == ("a", "b")


def test_one_file_is_the_same_whatever_it_looks_like():
    (finding,) = duplicates.find([_seen("a", look=1, file="x"), _seen("b", look=1, file="x")])
    assert "the same file" in finding.message
    assert finding.numbers["difference"] == 0


def test_duplicates_among_what_is_only_compared_with_are_not_ours():
    seen = [_seen(name, look=1, manifest="other", foreign=True) for name in "ab"]
    assert duplicates.find(seen) == []


def test_pictures_with_little_in_them_must_be_closer():
    def fog(name, level):
        colours = np.full((16, 16, 3), 128, np.uint8)
        colours[level] += 8
        print_ = Fingerprint(digest=name.encode(), colours=colours)
        return Seen(name=name, manifest="set", split=None, fingerprint=print_)

    assert duplicates.find([fog("a", 2), fog("b", 9)]) == []
    assert len(duplicates.find([fog("a", 2), fog("b", 2)])) == 1


def test_order_of_the_blocks_does_not_matter(monkeypatch):
    seen = [_seen(str(k), look=k % 7) for k in range(20)]
    whole = duplicates.find(seen)
    monkeypatch.setattr(duplicates, "_BLOCK", 3)
    assert duplicates.find(seen) == whole
    assert len(whole) == 7
