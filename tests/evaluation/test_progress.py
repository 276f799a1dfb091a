import json
import math

import pytest
import torch

from monostep.errors import OutputError
from monostep.evaluation.judge import Scored
from monostep.evaluation.progress import SAVE_AFTER, Progress
from monostep.evaluation.scores import MODEL, Line

KEY = {"rules": {"near_m": 1e-3}, "data": "a"}


def _scored(index, *, problem=None, pooled=False):
    generator = torch.Generator().manual_seed(index)
    line = Line(
        image=f"{index}.png",
        stratum="all",
        pixels=0 if problem else 5 + index,
        scores={} if problem else {MODEL: {"abs_rel": 0.1 + index / 3, "edges": math.nan}},
        problem=problem,
    )
    angles = 180 * torch.rand(5 + index, generator=generator)
    return Scored(line=line, angle_deg=angles if pooled and not problem else None)


def _open(folder, key=KEY, **options):
    return Progress(folder, "toy", key, **{"pooled": False, **options})


def _fill(folder, groups, *, pooled=False, problems=()):
    with _open(folder, pooled=pooled) as progress:
        for group in groups:
            progress.add(
                [
                    (k, _scored(k, problem="bad" if k in problems else None, pooled=pooled))
                    for k in group
                ]
            )
    return progress


def test_lines_come_back_to_the_last_digit(tmp_path):
    first = _fill(tmp_path, [[0], [1, 2]])
    with _open(tmp_path) as again:
        assert list(again.lines) == [0, 1, 2]
        assert repr(again.lines) == repr(first.lines)
        assert again.seen == 3


def test_a_file_cut_anywhere_gives_whole_groups_of_what_was_there(tmp_path):
    first = _fill(tmp_path, [[0], [1, 2], [3]])
    path = tmp_path / "toy.progress.jsonl"
    whole = path.read_bytes()
    ends = [k + 1 for k, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(0, len(whole) + 1, 7):
        path.write_bytes(whole[:cut])
        with _open(tmp_path) as again:
            # The newline itself may be missing of a line that is whole.
            lines = sum(cut >= end - 1 for end in ends[1:])
            assert len(again.lines) == {0: 0, 1: 1, 2: 1, 3: 3, 4: 4}[lines], cut
            assert all(repr(again.lines[k]) == repr(first.lines[k]) for k in again.lines)
            again.add([(9, _scored(9))])
        with _open(tmp_path) as third:
            assert 9 in third.lines


def test_what_was_made_with_other_settings_does_not_count_and_that_is_said(tmp_path):
    _fill(tmp_path, [[0]])
    said = []
    with _open(tmp_path, {**KEY, "data": "b"}, say=said.append) as again:
        assert again.lines == {}
    assert len(said) == 1
    assert "other data" in said[0]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\n", b"[]\n", b"nothing"])
def test_a_damaged_file_is_begun_anew(tmp_path, content):
    (tmp_path / "toy.progress.jsonl").write_bytes(content)
    with _open(tmp_path) as progress:
        assert progress.lines == {}


@pytest.mark.parametrize("again", [False, True])
def test_the_lines_and_reports_of_other_settings_are_put_aside(tmp_path, again):
    _fill(tmp_path, [[0], [1]], pooled=True)
    (tmp_path / "toy.csv").write_text("scores")
    there = {path.suffix: path.read_bytes() for path in tmp_path.iterdir()}
    said = []
    with _open(tmp_path, {**KEY, "data": "b"}, again=again, say=said.append) as other:
        assert other.lines == {}
    assert "data: b now, a before" in said[0]
    assert "toy.old.*" in said[0]
    aside = {path.suffix: path.read_bytes() for path in tmp_path.glob("toy.old.*")}
    assert aside == there
    assert set(aside) == {".csv", ".jsonl", ".npz"}


def test_a_report_of_unknown_making_is_put_aside(tmp_path):
    (tmp_path / "toy.json").write_text("{}")
    said = []
    with _open(tmp_path, say=said.append):
        pass
    assert (tmp_path / "toy.old.json").read_text() == "{}"
    assert len(said) == 1


@pytest.mark.parametrize(
    "spoilt",
    [
        b"[1, 2]",
        b"7",
        b"{}",
        {"rest": None},
        {"rest": -1},
        {"index": "1"},
        {"index": True},
        {"scores": []},
        {"scores": {"model": 3}},
        {"scores": {"model": {"abs_rel": "x"}}},
        {"scores": {}},
        {"problem": 1},
        {"more": 1},
    ],
)
def test_from_a_spoilt_line_on_nothing_counts(tmp_path, spoilt):
    _fill(tmp_path, [[0], [1], [2]])
    path = tmp_path / "toy.progress.jsonl"
    lines = path.read_bytes().splitlines()
    if isinstance(spoilt, dict):
        spoilt = json.dumps(json.loads(lines[2]) | spoilt).encode()
    path.write_bytes(b"\n".join([*lines[:2], spoilt, *lines[3:], b""]))
    with _open(tmp_path) as again:
        assert list(again.lines) == [0]


def test_again_forgets(tmp_path):
    _fill(tmp_path, [[0]])
    with _open(tmp_path, again=True) as progress:
        assert progress.lines == {}


def test_what_failed_is_tried_again_and_known_as_seen(tmp_path):
    _fill(tmp_path, [[0], [1], [2]], problems=(1, 2))
    with _open(tmp_path) as progress:
        assert list(progress.lines) == [0]
        assert progress.seen == 3


def _histogram(groups):
    from monostep.metrics.angle_histogram import AngleHistogram

    histogram = AngleHistogram()
    for group in groups:
        for index in group:
            histogram.add(_scored(index, pooled=True).angle_deg)
    return histogram


def test_pooled_angles_come_back(tmp_path):
    _fill(tmp_path, [[0], [1, 2]], pooled=True)
    with _open(tmp_path, pooled=True) as again:
        assert list(again.lines) == [0, 1, 2]
        expected = _histogram([[0, 1, 2]])
        assert again.histogram.count == expected.count
        assert again.histogram.median_deg() == expected.median_deg()


def test_after_a_kill_only_lines_whose_angles_were_saved_count(tmp_path):
    progress = _open(tmp_path, pooled=True)
    indices = range(SAVE_AFTER + 5)
    for index in indices:
        progress.add([(index, _scored(index, pooled=True))])
    progress._file.close()  # as a kill leaves it: nothing is saved at the end
    with _open(tmp_path, pooled=True) as again:
        assert list(again.lines) == list(range(SAVE_AFTER))
        assert again.histogram.count == _histogram([range(SAVE_AFTER)]).count
        for index in indices[SAVE_AFTER:]:
            again.add([(index, _scored(index, pooled=True))])
    assert again.histogram.median_deg() == _histogram([indices]).median_deg()


def test_angles_of_another_run_or_none_count_for_nothing(tmp_path):
    _fill(tmp_path, [[0], [1]], pooled=True)
    angles = tmp_path / "toy.progress.npz"
    _histogram([[5]]).save(angles)
    with _open(tmp_path, pooled=True) as again:
        assert again.lines == {}
        assert again.histogram.count == 0
    _fill(tmp_path, [[0], [1]], pooled=True)
    angles.unlink()
    with _open(tmp_path, pooled=True) as again:
        assert again.lines == {}


def test_failed_images_between_pooled_ones_are_tried_again(tmp_path):
    _fill(tmp_path, [[0], [1], [2]], pooled=True, problems=(1,))
    with _open(tmp_path, pooled=True) as again:
        assert list(again.lines) == [0, 2]
        again.add([(1, _scored(1, pooled=True))])
    with _open(tmp_path, pooled=True) as third:
        assert sorted(third.lines) == [0, 1, 2]
        assert third.histogram.median_deg() == _histogram([[0, 1, 2]]).median_deg()


def test_images_that_failed_last_were_seen_whatever_angles_are_pooled(tmp_path):
    _fill(tmp_path, [[0, 1], [2, 3]], pooled=True, problems=(1, 2))
    with _open(tmp_path, pooled=True) as again:
        assert (list(again.lines), again.seen) == ([0, 3], 4)
    _fill(tmp_path / "b", [[0, 1], [2, 3]], pooled=True, problems=(2, 3))
    with _open(tmp_path / "b", pooled=True) as again:
        assert (list(again.lines), again.seen) == ([0, 1], 4)


def test_every_line_is_on_disk_as_soon_as_it_is_known(tmp_path):
    with _open(tmp_path) as progress:
        progress.add([(0, _scored(0))])
        head, line = (tmp_path / "toy.progress.jsonl").read_text().splitlines()
        assert json.loads(head) == KEY
        assert json.loads(line)["image"] == "0.png"


def test_a_folder_that_cannot_be_written_is_our_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        _open(tmp_path / "file")
