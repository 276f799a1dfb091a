import json

import pytest

from monostep.errors import InputError, SettingError
from monostep.evaluation.predictions import meaning as meanings
from monostep.evaluation.predictions.meaning import Meaning
from monostep.runner import record
from monostep.runner.record import Input, Map, Record


def test_what_the_file_says_is_its_meaning(tmp_path):
    about = {"kind": "depth", "quantity": "disparity", "invariance": "affine", "frame": "left out"}
    expected = Meaning(quantity="disparity", invariance="affine")
    assert meanings.said(tmp_path / "a.npz", about, "depth") == expected


def test_a_npy_is_described_by_the_json_beside_it(tmp_path):
    (tmp_path / "a.normals.json").write_text(json.dumps({"kind": "normals", "frame": "opengl"}))
    assert meanings.said(tmp_path / "a.normals.npy", {}, "normals") == Meaning(frame="opengl")
    assert meanings.said(tmp_path / "a.normals.exr", {}, "normals") == Meaning()


def test_a_npy_is_described_by_the_record_of_its_image(tmp_path):
    about = {"kind": "depth", "quantity": "log_depth"}
    image = Input(
        name="a.png",
        bytes=1,
        mtime_ns=1,
        sha256="",
        width=1,
        height=1,
        focal_px=None,
        changes=(),
    )
    maps = {"depth": Map(about=about, made_by={}, files={})}
    record.write(tmp_path / "a.json", Record(input=image, maps=maps))
    assert meanings.said(tmp_path / "a.depth.npy", {}, "depth") == Meaning(quantity="log_depth")
    assert meanings.said(tmp_path / "a.normals.npy", {}, "normals") == Meaning()


@pytest.mark.parametrize("text", ['{"scene": 1}', '{"maps": 3}', '{"maps": {"depth": []}}', "[1]"])
def test_other_programs_json_says_nothing(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    assert meanings.said(tmp_path / "a.npy", {}, "depth") == Meaning()
    assert meanings.said(tmp_path / "a.depth.npy", {}, "depth") == Meaning()


def test_a_damaged_description_of_ours_is_an_error(tmp_path):
    (tmp_path / "a.depth.json").write_text('{"kind": ')
    with pytest.raises(InputError, match=r"a\.depth\.json: not valid JSON"):
        meanings.said(tmp_path / "a.depth.npy", {}, "depth")


def test_a_file_of_another_kind_or_with_unknown_words_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds normals, not depth"):
        meanings.said(tmp_path / "a.npz", {"kind": "normals"}, "depth")
    with pytest.raises(InputError, match=r"frame 'blender'.*opencv, opengl"):
        meanings.said(tmp_path / "a.npz", {"frame": "blender"}, "normals")


def test_declared_and_said_agree_or_are_refused():
    mine, its = Meaning(quantity="depth"), Meaning(quantity="disparity", invariance="scale")
    assert meanings.agree(Meaning(), its, "a") == its
    assert meanings.agree(its, Meaning(), "a") == its
    assert meanings.agree(Meaning(quantity="disparity"), its, "a") == its
    with pytest.raises(InputError, match="a: the file says quantity disparity, but depth"):
        meanings.agree(mine, its, "a")


def test_depth_has_a_default_and_normals_have_none(tmp_path):
    assert meanings.whole(Meaning(), "depth", tmp_path) == Meaning(quantity="depth")
    kept = Meaning(quantity="disparity", invariance="affine")
    assert meanings.whole(kept, "depth", tmp_path) == kept
    assert meanings.whole(Meaning(frame="dsine"), "normals", tmp_path) == Meaning(frame="dsine")
    with pytest.raises(SettingError, match=r"--frame .*monostep data identify-frame"):
        meanings.whole(Meaning(), "normals", tmp_path)


@pytest.mark.parametrize(
    ("words", "task"),
    [
        ({"frame": "opencv"}, "depth"),
        ({"quantity": "depth"}, "normals"),
        ({"invariance": "scale"}, "normals"),
        ({"quantity": "inverse"}, "depth"),
        ({"frame": "lub"}, "normals"),
    ],
)
def test_words_that_mean_nothing_are_refused(words, task):
    with pytest.raises(SettingError):
        meanings.declared(words, task)


def test_words_that_fit_are_taken():
    assert meanings.declared({"quantity": None, "frame": None}, "depth") == Meaning()
    words = {"quantity": "disparity", "invariance": "metric", "frame": None}
    expected = Meaning(quantity="disparity", invariance="metric")
    assert meanings.declared(words, "depth") == expected
    assert meanings.declared({"frame": "dsine"}, "normals") == Meaning(frame="dsine")


@pytest.mark.parametrize("kind", ["camera", ["depth"], None, 3])
def test_a_foreign_kind_beside_a_foreign_array_says_nothing(tmp_path, kind):
    text = json.dumps({"kind": kind, "quantity": "brightness"})
    (tmp_path / "a.json").write_text(text)
    assert meanings.said(tmp_path / "a.npy", {}, "depth") == Meaning()
    (tmp_path / "a.depth.json").write_text(text)
    with pytest.raises(InputError):
        meanings.said(tmp_path / "a.depth.npy", {}, "depth")
