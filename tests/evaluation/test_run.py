import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import joint_models
import judged_slowly
import numpy as np
import pytest
import tiny_models
from toy_benchmark import Oracle, Toy

from monostep import loading
from monostep.errors import OutputError, SettingError
from monostep.evaluation import run
from monostep.evaluation.entrants import Entrants
from monostep.evaluation.predictions.folder import PredictionFolder
from monostep.evaluation.reports import compare
from monostep.evaluation.run import How, Screen
from monostep.evaluation.scores import EMPTY
from monostep.evaluation.stored import StoredPredictions

TASKS = ("depth", "normals")


def _rows(folder, stem="toy"):
    with (folder / f"{stem}.csv").open() as file:
        return list(csv.DictReader(file))


def _stored(path, task, name="kept"):
    frame = {"frame": "opencv"} if task == "normals" else {}
    return StoredPredictions(name=name, folder=PredictionFolder(path, task=task, **frame))


class Listener(Screen):
    def __init__(self):
        self.begun, self.lines, self.said = [], [], []

    def begin(self, title, images):
        self.begun.append((title, images))

    def heard(self, name, line):
        self.lines.append((name, line.image))

    def say(self, line):
        self.said.append(line)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    depth, normals = tiny_models.depth_folder(root / "d"), tiny_models.normals_folder(root / "n")
    return [loading.load(path, device="cpu", dtype="fp32") for path in (depth, normals)]


def test_one_contender_writes_one_report_under_the_benchmarks_name(tmp_path):
    toy = Toy()
    (values,) = run.run(toy, Entrants(models=[Oracle(toy, "depth")]), How(output=tmp_path))
    assert json.loads((tmp_path / "toy.json").read_text()) == values
    assert (tmp_path / "toy.md").is_file()
    assert (values["benchmark"], values["protocol"], values["model"]) == (
        *("toy", "toy-1", "oracle-depth"),
    )
    assert values["images"] == len(_rows(tmp_path)) == 6
    assert values["baselines"] == {}
    assert values["metrics"]["abs_rel"] < 1e-3


def test_several_contenders_see_each_image_once(tmp_path):
    toy = Toy()
    run.run(
        toy,
        Entrants(models=[Oracle(toy, "depth")]),
        How(output=tmp_path / "x", save_predictions=tmp_path / "maps"),
    )
    toy.loaded.clear()
    entrants = Entrants(
        models=[Oracle(toy, task) for task in TASKS],
        stored=[_stored(tmp_path / "maps", "depth")],
    )
    reports = run.run(toy, entrants, How(output=tmp_path, label="p"))
    assert toy.loaded == list(range(6))
    for values, name in zip(reports, ("oracle-depth", "oracle-normals", "kept-depth"), strict=True):
        assert json.loads((tmp_path / f"toy-p-{name}.json").read_text()) == values
        assert values["images"] == 6


@pytest.mark.parametrize(
    ("task", "pooled"), [("depth", False), ("normals", False), ("normals", True)]
)
def test_a_folder_of_predictions_scores_as_the_live_model_that_wrote_it(
    tmp_path, models, task, pooled
):
    toy = Toy(images=5, size=(40, 56), pooled=pooled, boundaries=True)
    live = [model for model in models if model.card.task == task]
    maps = tmp_path / "maps"
    how = How(output=tmp_path / "live", save_predictions=maps, baselines=True)
    (first,) = run.run(toy, Entrants(models=live), how)
    for count in (0, 2):
        how = How(output=tmp_path / f"stored-{count}", workers=count, baselines=True)
        (second,) = run.run(toy, Entrants(stored=[_stored(maps, task)]), how)
        for name, value in first["metrics"].items():
            if value is None:  # a map without edges has no precision
                assert second["metrics"][name] is None
            else:
                assert second["metrics"][name] == pytest.approx(value, rel=1e-6)
        assert second["baselines"] == first["baselines"]
        assert _rows(tmp_path / "live") == _rows(how.output, f"toy-{task}")


@pytest.mark.parametrize("pooled", [True, False])
def test_the_number_of_processes_changes_nothing(tmp_path, pooled):
    toy = Toy(images=9, pooled=pooled, broken=(2,), empty=(5,))
    written = []
    for count in (0, 1, 3):
        folder = tmp_path / str(count)
        models = [Oracle(toy, task, noise=0.1, fails=(4,)) for task in TASKS]
        entrants = Entrants(models=models, batch_size=4)
        run.run(toy, entrants, How(output=folder, workers=count, baselines=True))
        files = ("toy-oracle-depth.csv", "toy-oracle-normals.csv", "toy-oracle-normals.json")
        written.append([(folder / name).read_bytes() for name in files])
    assert written[0] == written[1] == written[2]


@pytest.mark.parametrize("task", TASKS)
def test_planted_failures_are_named_counted_and_never_averaged_in(tmp_path, task):
    toy = Toy(images=8, broken=(0,), empty=(1,))
    model = Oracle(toy, task, fails=(2,), spoils=(3,), wrong_size=(4,), noise=0.1)
    (values,) = run.run(toy, Entrants(models=[model]), How(output=tmp_path, baselines=True))
    reasons = {one["image"]: one["reason"] for one in values["failed"]}
    assert list(reasons) == toy.names[:5]
    words = ("planted damage", EMPTY, "output is not finite", "prediction is not finite", "23x16")
    for name, word in zip(toy.names, words, strict=False):
        assert word in reasons[name]
    assert (values["images"], values["empty"]) == (3, 1)
    rows = _rows(tmp_path)
    metric = "abs_rel" if task == "depth" else "mean_angle_deg"
    assert [bool(row["problem"]) for row in rows] == 5 * [True] + 3 * [False]
    assert all(row[metric] == "" for row in rows[:5])
    mean = np.mean([float(row[metric]) for row in rows[5:]])
    assert values["metrics"][metric] == pytest.approx(mean, rel=1e-6)
    good = Oracle(toy, task, noise=0.1)
    clean = Toy(images=8)
    (whole,) = run.run(clean, Entrants(models=[good]), How(output=tmp_path / "clean"))
    same = [row[metric] for row in _rows(tmp_path / "clean")[5:]]
    assert same == [row[metric] for row in rows[5:]]
    assert whole["images"] == 8


def test_stored_predictions_that_are_missing_damaged_or_of_another_size_are_named(tmp_path):
    toy = Toy(images=6)
    maps = tmp_path / "maps"
    run.run(
        toy,
        Entrants(models=[Oracle(toy, "depth")]),
        How(output=tmp_path / "live", save_predictions=maps),
    )
    files = [maps / "toy" / name.replace(".png", ".depth.npy") for name in toy.names]
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:100])
    np.save(files[2], np.ones((5, 5), np.float32))
    values = np.load(files[3])
    values[0, 0] = np.inf
    np.save(files[3], values)
    entrants = Entrants(stored=[_stored(maps, "depth")])
    (values,) = run.run(toy, entrants, How(output=tmp_path / "out"))
    assert [one["image"] for one in values["failed"]] == toy.names[:4]
    assert values["images"] == 2
    # what is repaired counts at once
    np.save(files[0], toy.load(0).depth_m.numpy())
    (values,) = run.run(toy, entrants, How(output=tmp_path / "out"))
    assert values["images"] == 3


def test_without_any_judged_image_there_is_a_report_without_means(tmp_path):
    toy = Toy(images=2, empty=(0, 1))
    (values,) = run.run(toy, Entrants(models=[Oracle(toy, "depth")]), How(output=tmp_path))
    assert (values["images"], values["metrics"], values["empty"]) == (0, {}, 2)


def test_a_second_run_judges_nothing_and_says_the_same(tmp_path):
    toy = Toy()
    entrants = Entrants(models=[Oracle(toy, "normals", noise=0.1)])
    first = run.run(toy, entrants, How(output=tmp_path))
    toy.loaded.clear()
    listener = Listener()
    assert run.run(toy, entrants, How(output=tmp_path), listener) == first
    assert toy.loaded == []
    assert listener.begun == []
    assert "all 6 images were judged before; --overwrite" in listener.said[0]
    again = Listener()
    assert run.run(toy, entrants, How(output=tmp_path, overwrite=True), again) == first
    assert again.begun == [("toy", 6)]
    assert again.lines == [("oracle-normals", name) for name in toy.names]


@pytest.mark.parametrize(
    "change",
    [
        {"how": {"alignment": "robust-log"}},
        {"how": {"baselines": True}},
        {"toy": {"boundaries": True}},
        {"toy": {"size": (16, 25)}},
        {"asked": {"seed": 5}},
    ],
)
def test_other_settings_are_judged_anew_and_that_is_said(tmp_path, change):
    toy = Toy()
    run.run(toy, Entrants(models=[Oracle(toy, "depth")]), How(output=tmp_path))
    other = replace(toy, **change.get("toy", {}))
    listener = Listener()
    entrants = Entrants(models=[Oracle(other, "depth")], asked=change.get("asked", {}))
    run.run(other, entrants, How(output=tmp_path, **change.get("how", {})), listener)
    assert "judged anew" in listener.said[0]
    assert listener.begun == [("toy", 6)]


def test_the_report_of_another_contender_is_put_aside_and_comes_with_its_lines(tmp_path):
    toy = Toy()
    one, other = (Entrants(models=[Oracle(toy, "depth", name=name)]) for name in "ab")
    run.run(toy, one, How(output=tmp_path))
    files = ("json", "csv", "md", "progress.jsonl")
    first = {ending: (tmp_path / f"toy.{ending}").read_bytes() for ending in files}
    listener = Listener()
    run.run(toy, other, How(output=tmp_path), listener)
    assert "model: b now, a before" in listener.said[0]
    assert "toy.old.*" in listener.said[0]
    assert json.loads((tmp_path / "toy.json").read_text())["model"] == "b"
    for ending, content in first.items():
        assert (tmp_path / f"toy.old.{ending}").read_bytes() == content
    compared = compare.compare(tmp_path / "toy.old.csv", tmp_path / "toy.csv")
    assert compared["images"] == 6


def test_a_second_run_puts_nothing_aside(tmp_path):
    toy = Toy(pooled=True)
    for overwrite in (False, False, True):
        entrants = Entrants(models=[Oracle(toy, "normals")])
        run.run(toy, entrants, How(output=tmp_path, overwrite=overwrite))
    assert not list(tmp_path.glob("*.old.*"))


def test_reports_of_several_benchmarks_that_would_share_a_file_are_refused(tmp_path):
    one, other = Toy(images=1, name="a"), Toy(images=1, name="a-b")
    both = [Oracle(one, "depth", name=name) for name in ("b c", "d")]
    jobs = [
        (one, Entrants(models=both), How(output=tmp_path)),
        (
            other,
            Entrants(models=[Oracle(one, "depth", name=n) for n in "cd"]),
            How(output=tmp_path),
        ),
    ]
    with pytest.raises(SettingError, match=r"b c on a and c on a-b: .*a-b-c\.json"):
        run.check(jobs)
    run.check(jobs[:1])


def test_an_alignment_is_for_those_whose_depth_is_judged_on_any_of_the_benchmarks(tmp_path):
    how = How(output=tmp_path, alignment="depth")
    depth, normals = (Toy(images=1, tasks=(task,), name=f"of-{task}") for task in TASKS)
    joint, other = Oracle(depth, "geometry"), Oracle(depth, "normals")
    both = [(toy, Entrants(models=[joint]), how) for toy in (depth, normals)]
    run.check(both)
    (values,) = run.run(*both[1])
    assert values["task"] == "normals"
    words = "align depth: of oracle-{} only normals are judged here"
    with pytest.raises(SettingError, match=words.format("geometry")):
        run.check(both[1:])
    with pytest.raises(SettingError, match=words.format("geometry")):
        run.check([(Toy(images=1), Entrants(models=[joint], task="normals"), how)])
    with pytest.raises(SettingError, match=words.format("normals")):
        run.check([*both, (normals, Entrants(models=[other]), replace(how, label="p"))])


def test_where_nothing_can_be_written_is_found_out_before_any_image(tmp_path):
    toy = Toy(images=1)
    entrants = Entrants(models=[Oracle(toy, "depth")])
    (tmp_path / "toy.csv").mkdir()
    toy.loaded.clear()
    with pytest.raises(OutputError, match=r"toy\.csv: a folder"):
        run.run(toy, entrants, How(output=tmp_path))
    (tmp_path / "file").write_text("")
    for how in (
        How(output=tmp_path / "new", save_predictions=tmp_path / "file"),
        How(output=tmp_path / "new", save_predictions=tmp_path / "file" / "maps"),
    ):
        with pytest.raises(OutputError, match="save-predictions"):
            run.run(toy, entrants, how)
    assert toy.loaded == []


def test_maps_of_several_labels_do_not_meet(tmp_path):
    toy = Toy(images=1)
    for label in ("", "a", "b"):
        how = How(output=tmp_path / "out", label=label, save_predictions=tmp_path / "maps")
        run.run(toy, Entrants(models=[Oracle(toy, "depth")]), how)
    files = {path.relative_to(tmp_path / "maps").parts[0] for path in tmp_path.rglob("*.npy")}
    assert files == {"toy", "a", "b"}


def test_maps_that_are_to_be_kept_are_made_again_if_one_is_missing(tmp_path):
    toy = Toy()
    entrants = Entrants(models=[Oracle(toy, "depth")])
    run.run(toy, entrants, How(output=tmp_path / "out"))
    how = How(output=tmp_path / "out", save_predictions=tmp_path / "maps")
    run.run(toy, entrants, how)
    assert len(list((tmp_path / "maps").rglob("*.npy"))) == 6
    listener = Listener()
    run.run(toy, entrants, how, listener)
    assert listener.begun == []


def test_a_mistake_shows_before_a_folder_is_made(tmp_path):
    toy = Toy(tasks=("depth",))
    with pytest.raises(SettingError, match="can judge depth only"):
        run.run(toy, Entrants(models=[Oracle(toy, "normals")]), How(output=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def joint(tmp_path_factory):
    folder = joint_models.geometry_folder(tmp_path_factory.mktemp("joint") / "j")
    return folder, loading.load(folder, device="cpu", dtype="fp32")


def _looked_at(monkeypatch, model):
    """The number of pictures of each call from now on."""
    calls, plain = [], model.predict

    def predict(pictures, inference, *, at_once=0):
        calls.append((len(pictures), inference.domain))
        return plain(pictures, inference, at_once=at_once)

    monkeypatch.setattr(model, "predict", predict)
    return calls


def test_both_maps_of_a_joint_model_are_judged_from_one_pass_and_as_predictions_are(
    tmp_path, joint, monkeypatch
):
    _, model = joint
    toy = Toy(images=3, size=(40, 56), pooled=True, domain="outdoor")
    calls = _looked_at(monkeypatch, model)
    how = How(output=tmp_path / "live", save_predictions=tmp_path / "maps")
    reports = run.run(toy, Entrants(models=[model], batch_size=2), how)
    assert calls == [(2, "outdoor"), (1, "outdoor")]
    assert [values["task"] for values in reports] == list(TASKS)
    assert toy.loaded == [0, 1, 2]
    for values in reports:
        task = values["task"]
        assert values["settings"]["inference"]["domain"] == "outdoor"
        assert values["settings"]["attention"] == "joint"
        assert json.loads((tmp_path / "live" / f"toy-{task}.json").read_text()) == values
        entrants = Entrants(stored=[_stored(tmp_path / "maps", task)])
        (stored,) = run.run(toy, entrants, How(output=tmp_path / task))
        assert stored["metrics"] == pytest.approx(values["metrics"], rel=1e-6)
        assert _rows(tmp_path / task, f"toy-{task}") == _rows(tmp_path / "live", f"toy-{task}")
    page = (tmp_path / "live" / "toy-depth.md").read_text()
    assert "joint attention, domain outdoor: 3 images judged" in page
    run.run(toy, Entrants(models=[model], batch_size=2), how)
    assert len(calls) == 2


def test_scores_depend_on_the_domain_and_on_the_attention(tmp_path, joint):
    folder, model = joint
    toy = Toy(images=1, size=(40, 56))
    separate = loading.load(folder, device="cpu", dtype="fp32", attention="separate")
    ways = {"joint": (model, {}), "separate": (separate, {}), "out": (model, {"domain": "outdoor"})}
    found = []
    for name, (one, asked) in ways.items():
        entrants = Entrants(models=[one], asked=asked)
        reports = run.run(toy, entrants, How(output=tmp_path / name))
        found.append([values["metrics"] for values in reports])
        assert reports[0]["settings"]["attention"] == one.card.attention
    for first, second in ((0, 1), (0, 2), (1, 2)):
        for task in (0, 1):
            assert found[first][task] != found[second][task]
    listener = Listener()
    run.run(toy, Entrants(models=[separate]), How(output=tmp_path / "joint"), listener)
    assert "attention: separate now, joint before" in listener.said[0]
    entrants = Entrants(models=[separate], asked={"domain": "object"})
    listener = Listener()
    run.run(toy, entrants, How(output=tmp_path / "joint"), listener)
    assert "domain: object now, indoor before" in listener.said[0]


def test_a_joint_model_beside_others_and_on_sheets(tmp_path):
    toy = Toy(images=4, broken=(1,), domain="by image")
    joint = Oracle(toy, "geometry", noise=0.1)
    models = [joint, Oracle(toy, "normals", noise=0.2)]
    listener = Listener()
    how = How(output=tmp_path, sheets=1)
    reports = run.run(toy, Entrants(models=models, batch_size=4), how, listener)
    assert listener.begun == [("toy", 12)]
    assert len(listener.lines) == 12
    assert joint.groups[:2] == [[0, 2], [3]]  # two outdoors, one indoors
    assert [(values["model"], values["task"]) for values in reports] == [
        ("oracle-geometry", "depth"),
        ("oracle-geometry", "normals"),
        ("oracle-normals", "normals"),
    ]
    assert all(values["images"] == 3 and len(values["failed"]) == 1 for values in reports)
    assert (tmp_path / "toy.depth.sheet.jpg").is_file()
    assert (tmp_path / "toy.normals.sheet.jpg").is_file()


def _killed(out, *, lines, workers):
    """A run that is killed as soon as it has noted so many lines."""
    program = [sys.executable, judged_slowly.__file__, str(out), "0.03", str(workers)]
    noted = out / "toy-oracle-normals.progress.jsonl"
    with (out.parent / "stderr").open("wb") as errors:
        process = subprocess.Popen(
            program,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            start_new_session=True,
            stderr=errors,
        )
    while not noted.exists() or noted.read_bytes().count(b"\n") < lines:
        assert process.poll() is None, (out.parent / "stderr").read_text()
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tables(out):
    names = [f"toy-oracle-{task}.{ending}" for task in TASKS for ending in ("csv", "json", "md")]
    return [(out / name).read_bytes() for name in names]


@pytest.mark.parametrize(
    ("kills", "workers"),
    [((10,), 2), pytest.param((2, 6, 15, 20), 0, marks=pytest.mark.slow)],
)
@pytest.mark.slow
def test_killed_and_run_again_gives_the_same_files(tmp_path, kills, workers):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    judged_slowly.judge(whole)
    for lines in kills:
        _killed(killed, lines=lines, workers=workers)
        assert not (killed / "toy-oracle-depth.csv").exists()
    judged_slowly.judge(killed, workers=workers)
    assert _tables(killed) == _tables(whole)
