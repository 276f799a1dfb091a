import json
from dataclasses import replace
from pathlib import Path

import depth_layouts
import joint_models
import normals_layouts
import numpy as np
import pytest
import tiny_models

from monostep.errors import InputError, SettingError
from monostep.evaluation.choose import Asked
from monostep.evaluation.papers import published
from monostep.evaluation.papers import tables as papers
from monostep.evaluation.papers.tables import Reproduction
from monostep.evaluation.run import How
from monostep.runner.models import Loading


@pytest.fixture(scope="module")
def scannet(tmp_path_factory):
    """The folder of all benchmarks, in which there is a little ScanNet only."""
    folder = tmp_path_factory.mktemp("data")
    return folder, depth_layouts.write(folder, "scannet", images=2)


@pytest.fixture(autouse=True)
def _no_hub(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("monostep.checkpoints.hub._online", _refuse)


def _refuse(*_):
    raise AssertionError("the Hub was asked")


def _told(output, data=None, **more):
    return Reproduction(
        how=How(output=output, workers=0),
        asked=Asked(data=data),
        loading=Loading(device="cpu", dtype="fp32"),
        **more,
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [("paper-table-3", "3"), ("paper-table-A-3", "A-3"), ("nyuv2", None), ("paper", None)],
)
def test_a_table_is_named_by_its_command(name, expected):
    assert papers.number_of(name) == expected


@pytest.mark.parametrize("name", ["paper-table-7", "paper-table-", "paper-table-A-1"])
def test_other_tables_have_no_command(name):
    with pytest.raises(SettingError, match=r"paper-table-1, .*paper-table-6, .*A-4"):
        papers.number_of(name)


def test_rows_are_listed_without_running_anything():
    rows = papers.rows("4")
    assert [row["how"] for row in rows] == [
        "published",
        "published",
        "runnable",
        "published",
        "runnable",
    ]
    assert rows[2]["benchmarks"]["kitti"] == {"published": [9.6, 91.9]}


@pytest.mark.parametrize("name", papers.NAMES)
def test_with_nothing_there_everything_is_listed_as_missing(tmp_path, name):
    number = papers.number_of(name)
    values = papers.reproduce(number, _told(tmp_path))
    table = published.TABLES[number]
    benchmarks = {each for row in table.rows.values() for each in row.cells}
    assert len(values["missing"]) == len(benchmarks) + len(table.rows)
    assert all(len(line.splitlines()) == 1 for line in values["missing"])
    cells = [cell for row in values["rows"] for cell in row["benchmarks"].values()]
    assert all(cell["ours"] is None and cell["reason"] for cell in cells)
    assert json.loads((tmp_path / f"{name}.json").read_text()) == values
    assert (tmp_path / f"{name}.md").is_file()


def _disparity(folder, planted):
    for one in planted:
        depth_m = np.where(one.depth_m > 0, one.depth_m, 1)
        path = folder / f"{one.image.removesuffix('.jpg')}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, (3 + 7 / depth_m).astype(np.float32))
    return folder


def test_a_row_by_predictions_is_scored_where_there_are_data(tmp_path, scannet):
    data, planted = scannet
    predictions = {"dpt": _disparity(tmp_path / "dpt", planted)}
    values = papers.reproduce("5", _told(tmp_path / "out", data, predictions=predictions))
    [row] = [row for row in values["rows"] if row["row"] == "dpt"]
    cell = row["benchmarks"]["scannet"]
    # Disparity with the truth's scale and shift is the truth, which is stored in millimetres.
    assert cell["ours"] == pytest.approx([0, 100], abs=0.02)
    paper = zip(cell["ours"], cell["published"], strict=True)
    assert cell["difference"] == pytest.approx([own - theirs for own, theirs in paper])
    assert cell["within"] is None  # 2 images are not ScanNet
    assert row["benchmarks"]["nyuv2"]["reason"] == "no data"
    report = json.loads((tmp_path / "out" / cell["report"]).read_text())
    assert report["protocol"] == "marigold-2024"
    assert report["metrics"]["abs_rel"] * 100 == pytest.approx(cell["ours"][0])
    assert not any(line.startswith("dpt") for line in values["missing"])


def test_a_row_with_weights_is_run_as_the_table_says(tmp_path, scannet):
    data, _ = scannet
    weights = tmp_path / "weights"
    tiny_models.depth_folder(weights / "marigold-e2e-ft-depth")
    told = _told(tmp_path / "out", data, weights=weights)
    told = replace(told, asked=Asked(data=data, images=1))
    told = replace(told, how=replace(told.how, save_predictions=tmp_path / "maps"))
    values = papers.reproduce("4", told)
    by_key = {row["row"]: row for row in values["rows"]}
    cell = by_key["marigold-e2e"]["benchmarks"]["scannet"]
    assert cell["ours"] is not None
    report = json.loads((tmp_path / "out" / cell["report"]).read_text())
    inference = report["settings"]["inference"]
    assert (inference["steps"], inference["noise"], inference["fit"]) == (1, "zeros", "reference")
    assert inference["last"] == "clean"
    assert by_key["sd-e2e"]["benchmarks"]["scannet"]["reason"] == "no weights"
    page = (tmp_path / "out" / "paper-table-4.md").read_text()
    assert "## Ours" in page
    [kept] = (tmp_path / "maps").iterdir()
    assert kept.name == "marigold-e2e"
    assert len(list(kept.rglob("*.npy"))) == 1
    again = papers.reproduce("4", told)
    assert again == values


def test_geowizard_is_run_as_published_and_beside_it_with_joint_attention(tmp_path):
    normals_layouts.write_set(tmp_path / "dsine_eval", "scannet", size=(24, 32))
    weights = tmp_path / "weights"
    joint_models.geometry_folder(weights / "geowizard-e2e-ft")
    told = _told(tmp_path / "out", weights=weights)
    told = replace(told, asked=Asked(data=tmp_path, images=1))
    ours = {}
    for attention in ("separate", "joint"):
        asked = None if attention == "separate" else attention
        loading = replace(told.loading, attention=asked)
        values = papers.reproduce("3", replace(told, loading=loading))
        [row] = [row for row in values["rows"] if row["row"] == "geowizard-e2e"]
        assert row["run"]["attention"] == attention
        cell = row["benchmarks"]["scannet-normals"]
        ours[attention] = cell["ours"]
        settings = json.loads((tmp_path / "out" / cell["report"]).read_text())["settings"]
        inference = settings["inference"]
        assert (inference["domain"], inference["fit"]) == ("indoor", "reference")
        assert (settings["attention"], inference["last"]) == (attention, "clean")
        page = (tmp_path / "out" / "paper-table-3.md").read_text()
        assert f"| trailing | {attention} |" in page
        assert any("no weights of geowizard-fixed" in line for line in values["missing"])
    assert ours["separate"] != ours["joint"]
    assert len(list((tmp_path / "out").glob("*-paper-geowizard-e2e*.json"))) == 2


def test_predictions_of_a_row_that_is_not_in_the_table_are_refused(tmp_path):
    told = _told(tmp_path, predictions={"nobody": tmp_path})
    with pytest.raises(SettingError, match=r"nobody: table 2 has no such row.*sd-e2e"):
        papers.reproduce("2", told)


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"loading": Loading(revision="main")}, "revision"),
        ({"loading": Loading(frame="dsine")}, "network-frame"),
        ({"loading": Loading(unet="unet_v2")}, "unet"),
        ({"asked": Asked(protocol="monostep-1")}, "protocol"),
        ({"asked": Asked(list=Path("list.txt"))}, "list"),
        ({"asked": Asked(height=10)}, "height"),
        ({"how": How(output=Path(), alignment="scale")}, "align"),
    ],
)
def test_what_the_rows_settle_is_refused(tmp_path, changes, option):
    with pytest.raises(SettingError, match=f"--{option}: the rows"):
        papers.reproduce("1", replace(_told(tmp_path), **changes))


@pytest.mark.parametrize(
    ("number", "attention", "words"),
    [("1", "joint", "no row of table 1 is run"), ("3", "both", "choose joint or separate")],
)
def test_an_attention_that_no_row_can_have_is_refused(tmp_path, number, attention, words):
    told = replace(_told(tmp_path), loading=Loading(attention=attention))
    with pytest.raises(SettingError, match=words):
        papers.reproduce(number, told)


def test_an_attention_means_nothing_where_every_joint_row_has_predictions(tmp_path):
    rows = published.table("3").rows.items()
    joint = {key: tmp_path for key, row in rows if row.run is not None and row.run.attention}
    told = replace(_told(tmp_path), loading=Loading(attention="joint"))
    one = dict(list(joint.items())[:1])
    papers.check(["3"], replace(told, predictions=one))
    with pytest.raises(SettingError, match="no row of table 3 is run"):
        papers.check(["3"], replace(told, predictions=joint))


def test_download_and_offline_contradict_each_other(tmp_path):
    told = replace(_told(tmp_path, download=True), loading=Loading(offline=True))
    with pytest.raises(SettingError, match="contradict"):
        papers.reproduce("1", told)


def test_a_folder_that_fits_no_image_is_said_and_stops_nothing(tmp_path, scannet):
    data, planted = scannet
    predictions = {
        "dpt": tmp_path / "empty",
        "midas": _disparity(tmp_path / "midas", planted),
    }
    predictions["dpt"].mkdir()
    values = papers.reproduce("5", _told(tmp_path / "out", data, predictions=predictions))
    by_key = {row["row"]: row["benchmarks"].get("scannet") for row in values["rows"]}
    assert by_key["dpt"]["reason"] == "failed"
    [line] = values["failed"]
    assert line.startswith("dpt on scannet: ")
    assert by_key["midas"]["ours"] is not None


def test_an_image_that_could_not_be_judged_is_named(tmp_path, scannet):
    data, planted = scannet
    folder = _disparity(tmp_path / "dpt", planted)
    broken = folder / f"{planted[1].image.removesuffix('.jpg')}.npy"
    broken.write_bytes(b"no array")
    values = papers.reproduce("5", _told(tmp_path / "out", data, predictions={"dpt": folder}))
    [line] = values["failed"]
    assert line.startswith("dpt on scannet: ")
    assert broken.name in line
    assert "## Failed" in (tmp_path / "out" / "paper-table-5.md").read_text()


def test_a_folder_that_is_not_there_stops_before_anything_runs(tmp_path, scannet):
    gone = tmp_path / "gone"
    told = _told(tmp_path / "out", scannet[0], predictions={"dpt": gone})
    with pytest.raises(InputError, match=r"gone: no such folder of predictions of dpt"):
        papers.reproduce("5", told)
    with pytest.raises(InputError, match=r"gone: no such folder of weights"):
        papers.reproduce("5", _told(tmp_path / "out", scannet[0], weights=gone))
    assert not (tmp_path / "out").exists()


def test_predictions_may_be_of_any_of_several_tables(tmp_path):
    told = _told(tmp_path, predictions={"dpt": tmp_path})
    papers.check(["1", "5"], told)
    with pytest.raises(SettingError, match=r"dpt: the tables named have no such row"):
        papers.check(["1", "2"], told)


def test_rows_that_were_scored_before_stay_in_the_table(tmp_path, scannet):
    data, planted = scannet
    folder = _disparity(tmp_path / "maps", planted)
    first = papers.reproduce("5", _told(tmp_path, data, predictions={"dpt": folder}))
    second = papers.reproduce("5", _told(tmp_path, data, predictions={"midas": folder}))
    without_data = papers.reproduce("5", _told(tmp_path))

    def cell(values, key):
        return next(r for r in values["rows"] if r["row"] == key)["benchmarks"]["scannet"]

    assert cell(first, "midas")["ours"] is None
    assert cell(second, "midas")["ours"] is not None
    assert cell(second, "dpt") == cell(first, "dpt") == cell(without_data, "dpt")
