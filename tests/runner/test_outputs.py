"""What one image becomes on disk, and what a second run leaves, makes again or removes."""

import json
import threading
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
import tiny_models
from many_files import files, go, picture, statuses
from PIL import Image

from monostep import loading
from monostep.files import maps
from monostep.pictures import as_tensor
from monostep.runner.run import Summary

ENDS = (".npy", ".png", ".preview.png")
ALL = {f"a.{task}{end}" for task in ("depth", "normals") for end in ENDS}

ALL_FORMATS = ("npy", "npz", "png", "exr", "tiff")


@pytest.fixture(scope="module")
def other_depth(tmp_path_factory):
    return loading.load(tiny_models.depth_folder(tmp_path_factory.mktemp("o") / "o", seed=9))


@pytest.mark.usefixtures("here")
class TestWhatIsWritten:
    def test_all_files_of_an_image_and_a_record_that_lists_them(self, models):
        picture("photos/sub/a.png")
        (outcome,), summary = go(models)
        assert summary == Summary(written=1)
        assert files() == {f"sub/{name}" for name in (*ALL, "a.json")}
        assert {Path(name).name for name in outcome.outputs} == {*ALL, "a.json"}
        assert outcome.outputs[-1] == "out/sub/a.json"
        assert outcome.size == (24, 16)
        record = json.loads(Path("out/sub/a.json").read_text())
        assert record["input"]["name"] == "sub/a.png"
        listed = {name: f for m in record["maps"].values() for name, f in m["files"].items()}
        assert listed.keys() == ALL
        for name, file in listed.items():
            assert file["bytes"] == Path("out/sub", name).stat().st_size
        assert str(Path.cwd()) not in json.dumps(record)
        made_by = record["maps"]["normals"]["made_by"]
        assert made_by["weights_sha256"] == models["normals"].card.tensor_hash
        assert made_by["frame"] == record["maps"]["normals"]["about"]["frame"] == "opencv"

    def test_values_are_those_of_the_predictor_in_every_format(self, models):
        source = picture("a.png")
        go(models, "a.png", formats=("npy", "npz", "png", "exr", "tiff"), frame="dsine")
        depth, normals = (
            models["depth"](source).values,
            models["normals"](source).to("dsine").values,
        )
        for ending in (".npy", ".npz", ".exr", ".tiff"):
            assert np.array_equal(maps.read_depth(f"out/a.depth{ending}")[0], depth)
            assert np.array_equal(maps.read_normals(f"out/a.normals{ending}")[0], normals)
        assert np.abs(maps.read_depth("out/a.depth.png")[0] - depth).max() < 1e-4
        assert maps.read_normals("out/a.normals.png")[1]["frame"] == "dsine"

    def test_half_floats_are_the_same_to_eleven_bits(self, models):
        source = picture("a.png")
        go(models, "a.png", formats=("exr-half",))
        exact = models["normals"](source).values
        with OpenEXR.File("out/a.normals.exr", separate_channels=True) as file:
            for index, name in enumerate(("N.x", "N.y", "N.z")):
                plane = file.channels()[name].pixels
                assert plane.dtype == np.float16
                known = exact[..., index]
                assert (np.abs(plane - known) <= np.abs(known) * 2**-11 + 2**-25).all()
        assert statuses(models, "a.png", formats=("exr-half",)) == ["skipped"]
        assert statuses(models, "a.png", formats=("exr",)) == ["written"]
        assert np.array_equal(maps.read_normals("out/a.normals.exr")[0], exact)
        assert statuses(models, "a.png", formats=("exr-half",)) == ["written"]

    def test_an_ensemble_has_its_uncertainty_beside_each_map(self, models):
        source = as_tensor(picture("a.png"))
        asked = {"ensemble": 3, "noise": "gaussian", "seed": 1}
        go(models, "a.png", formats=ALL_FORMATS, asked=asked)
        record = json.loads(Path("out/a.json").read_text())
        for task, model in models.items():
            (result,) = model.predict([source], model.inference(**asked))
            values = result.uncertainty.numpy()
            assert values.shape == (16, 24)
            assert values.max() > 0
            for word in ALL_FORMATS:
                name = f"a.{task}.uncertainty.{word}"
                back, about = maps.read_uncertainty(f"out/{name}")
                bound = 0.51 / 65535 if word == "png" else 0
                assert np.abs(back - values).max() <= bound
                if word != "npy":
                    assert about["kind"] == f"{task} uncertainty"
                    assert about["provenance"]["ensemble"] == 3
                assert record["maps"][task]["files"][name]["kind"] == f"{task} uncertainty"
            assert "ensemble's members" in record["maps"][task]["about"]["uncertainty"]
        assert statuses(models, "a.png", formats=ALL_FORMATS, asked=asked) == ["skipped"]
        assert statuses(models, "a.png", formats=("npy",)) == ["written"]
        assert files() == {"a.depth.npy", "a.normals.npy", "a.json"}  # others would lie now

    def test_previews_come_with_png_only(self, models):
        picture("a.png")
        go(models, "a.png", formats=("npy",))
        assert files() == {"a.depth.npy", "a.normals.npy", "a.json"}

    def test_what_reading_has_changed_is_in_the_record(self, models):
        Image.new("RGBA", (8, 8), (0, 0, 0, 9)).save("a.png")
        (outcome,), _ = go(models, "a.png")
        record = json.loads(Path("out/a.json").read_text())
        assert record["input"]["changes"] == ["alpha composited on white"]
        assert outcome.changes == ("alpha composited on white",)

    @pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (4000, 30), (47, 49)])
    def test_any_size_comes_back_on_its_own_grid(self, models, size):
        picture("a.png", size)
        assert statuses(models, "a.png", formats=("npy",)) == ["written"]
        assert np.load("out/a.depth.npy").shape == size[::-1]
        assert np.load("out/a.normals.npy").shape == (*size[::-1], 3)

    def test_a_second_prediction_is_bit_identical(self, models):
        for index in range(3):
            picture(f"photos/{index}.png", seed=index)
        go(models, batch_size=2)
        go(models, batch_size=2, output="again")
        for name in files():
            assert Path("out", name).read_bytes() == Path("again", name).read_bytes()

    def test_batch_mates_change_nothing(self, models):
        for index in range(3):
            picture(f"one/{index}.png", seed=index)
            picture(f"two/{index}.png", seed=index if index == 1 else index + 10)
        go(models, "one", output="out1", batch_size=3)
        go(models, "two", output="out2", batch_size=3)
        go(models, "one", output="out3", batch_size=1)
        for kind in ("depth", "normals"):
            first, second, alone = (np.load(f"out{n}/1.{kind}.npy") for n in (1, 2, 3))
            assert np.array_equal(first, second)
            assert np.abs(first - alone).max() <= 1e-5
        assert not np.array_equal(np.load("out1/0.depth.npy"), np.load("out2/0.depth.npy"))

    def test_sizes_may_mix_in_a_batch_and_outcomes_keep_the_order(self, models):
        for index, size in enumerate([(24, 16), (16, 24), (24, 16), (9, 9)]):
            picture(f"photos/{index}.png", size, seed=index)
        outcomes, _ = go(models, batch_size=3)
        assert [outcome.size for outcome in outcomes] == [(24, 16), (16, 24), (24, 16), (9, 9)]


@pytest.mark.usefixtures("here")
class TestSecondRun:
    def test_what_is_complete_is_skipped_and_not_touched(self, models):
        picture("a.png")
        (first,), _ = go(models, "a.png")
        before = {name: Path("out", name).stat().st_mtime_ns for name in files()}
        (second,), summary = go(models, "a.png")
        assert summary == Summary(skipped=1)
        assert set(second.outputs) == set(first.outputs)
        assert (second.size, second.milliseconds) == ((24, 16), None)
        assert before == {name: Path("out", name).stat().st_mtime_ns for name in files()}
        assert statuses(models, "a.png", overwrite=True) == ["written"]

    @pytest.mark.parametrize(
        "change", [{"frame": "opengl"}, {"asked": {"resolution": 32}}, {"formats": ("npy", "npz")}]
    )
    def test_other_settings_redo(self, models, change):
        picture("a.png")
        go(models, "a.png")
        assert statuses(models, "a.png", **change) == ["written"]
        assert statuses(models, "a.png", **change) == ["skipped"]

    def test_another_model_or_image_redoes(self, models, other_depth):
        picture("a.png")
        go(models, "a.png")
        assert statuses({**models, "depth": other_depth}, "a.png") == ["written"]
        picture("a.png", seed=4)
        assert statuses({**models, "depth": other_depth}, "a.png") == ["written"]

    @pytest.mark.parametrize("name", ["a.depth.npy", "a.normals.preview.png", "a.json"])
    def test_a_damaged_or_missing_file_is_made_again(self, models, name):
        picture("a.png")
        go(models, "a.png")
        good = Path("out", name).read_bytes()
        Path("out", name).write_bytes(good[:40])
        assert statuses(models, "a.png") == ["written"]
        assert Path("out", name).read_bytes() == good
        Path("out", name).unlink()
        assert statuses(models, "a.png") == ["written"]
        assert Path("out", name).read_bytes() == good

    def test_tasks_and_formats_of_two_runs_share_a_record(self, models):
        picture("a.png")
        go({"depth": models["depth"]}, "a.png", formats=("npy",))
        go({"normals": models["normals"]}, "a.png")
        go({"depth": models["depth"]}, "a.png", formats=("png",))
        assert statuses(models, "a.png") == ["skipped"]

    def test_files_made_in_another_way_do_not_stay_beside_new_ones(self, models):
        picture("a.png")
        go(models, "a.png")
        go({"normals": models["normals"]}, "a.png", formats=("npz",), frame="opengl")
        normals = {name for name in files() if "normals" in name}
        assert normals == {"a.normals.npz"}
        assert statuses({"depth": models["depth"]}, "a.png") == ["skipped"]

    def test_an_interrupt_while_redoing_leaves_no_record_of_the_old(self, models, monkeypatch):
        picture("a.png")
        go(models, "a.png")
        monkeypatch.setattr(maps, "write_normals", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            go(models, "a.png", asked={"resolution": 32})
        assert "a.json" not in files()
        monkeypatch.undo()
        assert not [thread for thread in threading.enumerate() if "monostep" in thread.name]


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
