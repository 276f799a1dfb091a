import json
import sys

import numpy as np
import pytest
import torch

from monostep import cli
from monostep.data.procedural import render
from monostep.data.synthesize import synthesize
from monostep.geometry.normals import Normals


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes") / "set"
    synthesize(folder, seed=5, indices=range(6), size=(48, 64))
    return folder


@pytest.fixture
def run(monkeypatch, capsys):
    def call(*arguments):
        words = [str(each) for each in arguments]
        monkeypatch.setattr(sys, "argv", ["monostep", "data", "identify-frame", *words])
        monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, *capsys.readouterr()

    return call


@pytest.fixture
def predictions(scenes, tmp_path):
    for path in sorted(scenes.rglob("*.normals.npy")):
        target = tmp_path / "out" / path.relative_to(scenes)
        target.parent.mkdir(parents=True, exist_ok=True)
        np.save(target, np.load(path) * np.array([-1, -1, -1], np.float32))
    return tmp_path / "out"


def test_a_table_and_a_line_by_the_normals_alone(run, predictions):
    code, out, err = run(predictions)
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0].split() == ["frame", "x,", "y,", "z", "point", "share", "that", "faces", "away"]
    assert lines[1].split()[:4] == ["dsine", "left,", "up,", "back"]
    assert len(lines) == 10
    assert lines[-1] == "dsine: --frame dsine (by the normals alone; 6 files)"


def test_by_depth_and_by_a_benchmark_of_ones_own(run, predictions, scenes):
    assert (
        "dsine: --frame dsine (by normals of the depth maps; 6 files)"
        in run(predictions, "--depth", scenes)[1]
    )
    code, out, _ = run(predictions, "--benchmark", scenes, "--limit", 2, "--json")
    values = json.loads(out)
    assert code == 0
    assert (values["frame"], values["evidence"], values["images"]) == ("dsine", "truth", 2)
    assert values["ways"][0]["value"] < 0.1


def test_files_that_say_otherwise_and_codes_are_told(run, predictions):
    for path in predictions.rglob("*.npy"):
        np.save(path, (np.load(path) + 1) / 2)
    code, out, _ = run(predictions)
    assert code == 0
    assert out.splitlines()[-1] == "6 of them store 0..1: declare --value-range 0..1 too"


def test_a_frame_that_files_name_wrongly_is_told(run, predictions, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    for path in predictions.rglob("*.npy"):
        tensor = torch.from_numpy(np.load(path)).permute(2, 0, 1)
        Normals(tensor=tensor, frame="opengl").save(wrong / f"{path.parent.name}{path.stem}.npz")
    assert run(wrong)[1].splitlines()[-1] == "but files say opengl"


def test_what_cannot_be_told_is_said(run, tmp_path):
    facing = np.zeros((24, 32, 3), np.float32)
    facing[..., 2] = 1
    np.save(tmp_path / "a.normals.npy", facing)
    code, out, _ = run(tmp_path)
    assert code == 0
    assert "cannot tell: nothing decides x and y; try --depth or --benchmark" in out
    assert json.loads(run(tmp_path, "--json")[1])["frame"] is None
    Normals(tensor=torch.from_numpy(facing).permute(2, 0, 1), frame="opengl").save(
        tmp_path / "a.normals.npy"
    )
    assert run(tmp_path)[1].splitlines()[-1] == "the files say opengl"


def test_broken_files_are_named_on_stderr(run, predictions):
    next(iter(sorted(predictions.rglob("*.npy")))).write_bytes(b"")
    code, out, err = run(predictions)
    assert code == 0
    assert "5 files" in out
    assert err.count("\n") == 1
    assert "not a readable numpy file" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--benchmark", "ibims", "--depth", "d"], "leave --depth out"),
        (["--data", "d"], "belong to a --benchmark"),
        (["--quantity", "disparity"], "maps in --depth"),
        (["--benchmark", "no-such-set"], "benchmark 'no-such-set'"),
        (["--benchmark", "procedural", "--data", "d"], "--data is for a published benchmark"),
        (["--benchmark", "nyuv2", "--data", "d"], "no true normals: name nyuv2-normals"),
        (["--benchmark", "kitti", "--data", "d"], "no true normals: name nyuv2-normals, scannet-n"),
        (["--depth", ".", "--quantity", "foo"], "quantity 'foo'"),
    ],
)
def test_options_that_make_no_sense_end_in_2(run, predictions, options, message):
    code, out, err = run(predictions, *options)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_an_empty_folder_ends_in_1(run, tmp_path):
    code, _, err = run(tmp_path)
    assert code == 1
    assert "no files of normals" in err


def test_folders_that_are_none_end_in_1_and_are_called_so(run, predictions, tmp_path):
    file = next(predictions.rglob("*.npy"))
    for arguments in ([tmp_path / "none"], [file], [predictions, "--depth", tmp_path / "none"]):
        code, out, err = run(*arguments)
        assert (code, out) == (1, "")
        assert "no such folder; check the path" in err


def test_a_reading_that_was_guessed_is_told(run, tmp_path):
    scene = render(9, [2], (48, 64))
    for name, values in (("n", -scene.normals[0]), ("d", 1 / scene.depth_m[0].clamp_min(0.1))):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "a.npy", values.numpy())
    code, out, _ = run(tmp_path / "n", "--depth", tmp_path / "d")
    assert code == 0
    assert "likely" in out
    assert "say --quantity if you know it" in out.splitlines()[-1]
