"""Many images at once: what fails alone, what ends the run, and how much is read ahead."""

import errno
import json
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from many_files import files, go, picture, statuses
from PIL import Image

from monostep.errors import MissingExtraError, OutputError
from monostep.files import atomic
from monostep.runner import inputs, outputs, run
from monostep.runner.run import Outcome, Summary
from monostep.runner.settings import Settings


@pytest.mark.usefixtures("here")
class TestFailures:
    def test_a_bad_image_is_named_and_the_rest_is_written(self, models):
        for index in range(4):
            picture(f"photos/{index}.png")
        Path("photos/1.png").write_bytes(b"no image")
        outcomes, summary = go(models, batch_size=2)
        assert [each.status for each in outcomes] == ["written", "failed", "written", "written"]
        assert summary == Summary(written=3, failed=1)
        assert (outcomes[1].error or "").startswith("photos/1.png: ")
        assert not [name for name in files() if name.startswith("1.")]

    def test_a_result_that_is_not_finite_fails_alone(self, models, monkeypatch):
        for index in range(3):
            picture(f"photos/{index}.png", seed=index)
        Image.new("RGB", (24, 16), (255, 0, 0)).save("photos/1.png")
        network = models["depth"].network
        encode = network.encode

        def broken(image):
            pure_red = (image[:, 0].amin(dim=(1, 2)) > 0.99) & (
                image[:, 1].amax(dim=(1, 2)) < -0.99
            )
            return encode(image) / torch.where(pure_red, 0, 1)[:, None, None, None]

        monkeypatch.setattr(network, "encode", broken)
        outcomes, _ = go(models, batch_size=3)
        assert [each.status for each in outcomes] == ["written", "failed", "written"]
        assert "not finite" in (outcomes[1].error or "")

    def test_memory_that_does_not_suffice_is_one_line(self, models, monkeypatch):
        picture("a.png")
        error = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")
        monkeypatch.setattr(models["depth"].network, "encode", _raise(error))
        (outcome,), _ = go(models, "a.png")
        assert outcome.error == (
            "a.png: not enough memory for this image alone; try a smaller --resolution"
        )

    def test_a_mistake_of_ours_is_not_hidden(self, models, monkeypatch):
        picture("a.png")
        monkeypatch.setattr(models["depth"].network, "encode", _raise(RuntimeError("a bug")))
        with pytest.raises(RuntimeError, match="a bug"):
            go(models, "a.png")

    def test_the_json_of_another_program_is_not_overwritten(self, models):
        picture("photos/a.png")
        Path("photos/a.json").write_text('{"shapes": []}')
        (outcome,), _ = go(models, output="photos")
        assert outcome.status == "failed"
        assert files("photos") == {"a.png", "a.json"}
        assert statuses(models, output="photos", overwrite=True) == ["written"]
        assert statuses(models, output="photos") == ["skipped"]

    def test_a_name_too_long_to_write_fails_alone(self, models):
        picture("photos/" + "n" * 250 + ".png")
        picture("photos/z.png")
        assert statuses(models) == ["failed", "written"]
        assert not [name for name in files() if "monostep" in name]

    def test_a_full_disk_stops_the_run(self, models, monkeypatch):
        picture("photos/a.png")
        picture("photos/b.png")
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        monkeypatch.setattr(atomic, "_flush", _raise(full))
        reported: list[Outcome] = []
        found = inputs.find(["photos"], output=Path("out"))
        with pytest.raises(OutputError, match="No space left"):
            run.run(found.jobs, models, Settings(output=Path("out")), reported.append)
        assert not reported
        assert not files()

    def test_a_format_that_cannot_be_written_stops_the_run(self, models, monkeypatch):
        picture("a.png")
        monkeypatch.setitem(__import__("sys").modules, "OpenEXR", None)
        with pytest.raises(MissingExtraError):
            go(models, "a.png", formats=("exr",))

    def test_an_output_that_is_a_file_is_refused_before_any_work(self):
        Path("out").touch()
        with pytest.raises(OutputError, match="cannot be made a folder"):
            run.check_folder(Path("out"))

    def test_a_record_changed_by_hand_deletes_nothing_else(self, models):
        picture("a.png")
        Path("precious.txt").touch()
        go(models, "a.png")
        record = json.loads(Path("out/a.json").read_text())
        record["maps"]["depth"]["files"]["../precious.txt"] = {"kind": "depth", "bytes": 0}
        Path("out/a.json").write_text(json.dumps(record))
        assert statuses(models, "a.png", asked={"resolution": 32}) == ["written"]
        assert Path("precious.txt").exists()


@pytest.mark.usefixtures("here")
class TestTheStream:
    def test_batches_are_formed_across_images_of_other_sizes(self, models, monkeypatch):
        for index in range(12):
            picture(f"photos/{index:02}.png", [(24, 16), (16, 24), (20, 20)][index % 3], seed=index)
        picture("photos/99.png", (48, 1))
        groups = []
        predict = models["depth"].predict

        def counted(images, *arguments, **settings):
            groups.append([tuple(image.shape[1:]) for image in images])
            return predict(images, *arguments, **settings)

        monkeypatch.setattr(models["depth"], "predict", counted)
        outcomes, summary = go({"depth": models["depth"]}, batch_size=4, formats=("npy",))
        assert groups == [[(16, 24)] * 4, [(24, 16)] * 4, [(20, 20)] * 4, [(1, 48)]]
        assert summary == Summary(written=13)
        assert [outcome.input for outcome in outcomes] == sorted(map(str, Path("photos").iterdir()))

    def test_batches_of_two_models_fit_both(self, models):
        for index, size in enumerate([(24, 16), (16, 24), (24, 16), (24, 15)]):
            picture(f"photos/{index}.png", size, seed=index)
        go(models, batch_size=4, formats=("npy",))
        for index in range(4):
            for task, model in models.items():
                alone = model(f"photos/{index}.png").values
                assert np.abs(np.load(f"out/{index}.{task}.npy") - alone).max() < 1e-5

    def test_skipped_failed_and_written_keep_their_order(self, models):
        for index in range(8):
            picture(f"photos/{index}.png", seed=index)
        go(models, formats=("npy",))
        for index in (1, 4, 7):
            Path(f"out/{index}.depth.npy").unlink()
        Path("photos/5.png").write_bytes(b"no image")
        outcomes, _ = go(models, formats=("npy",), batch_size=2)
        ends = ["skipped", "written", "skipped", "skipped", "written", "failed", "skipped"]
        assert [outcome.status for outcome in outcomes] == [*ends, "written"]

    def test_memory_that_ends_is_said_once_and_the_run_goes_on(self, models, monkeypatch):
        for index in range(8):
            picture(f"photos/{index}.png", seed=index)
        encode = models["depth"].network.encode

        def small(image):
            if len(image) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")
            return encode(image)

        monkeypatch.setattr(models["depth"].network, "encode", small)
        said: list[str] = []
        found = inputs.find(["photos"], output=Path("out"))
        settings = Settings(output=Path("out"), formats=("npy",), batch_size=8)
        summary = run.run(found.jobs, models, settings, lambda _: None, said.append)
        assert summary == Summary(written=8)
        assert said == [
            "out of memory with 8 images at once; going on with 4",
            "out of memory with 4 images at once; going on with 2",
        ]

    def test_an_outcome_is_told_while_the_next_image_is_predicted(self, models, monkeypatch):
        for index in range(3):
            picture(f"photos/{index}.png", seed=index)
        told: list[Outcome] = []
        known = []
        predict = models["depth"].predict

        def slow(*arguments, **settings):
            time.sleep(0.3)
            known.append(len(told))
            return predict(*arguments, **settings)

        monkeypatch.setattr(models["depth"], "predict", slow)
        found = inputs.find(["photos"], output=Path("out"))
        settings = Settings(output=Path("out"), formats=("npy",))
        run.run(found.jobs, {"depth": models["depth"]}, settings, told.append)
        assert known == [0, 1, 2]

    def test_whatever_ends_the_run_leaves_no_thread(self, models, monkeypatch):
        for index in range(6):
            picture(f"photos/{index}.png", seed=index)
        found = inputs.find(["photos"], output=Path("out"))
        settings = Settings(output=Path("out"), formats=("npy",))
        for place, name in ((outputs, "read"), (outputs, "write"), (models["depth"], "predict")):
            with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
                patch.setattr(place, name, _raise(ZeroDivisionError()))
                run.run(found.jobs, models, settings, lambda _: None)
            assert not [each for each in threading.enumerate() if "monostep" in each.name]
        assert not files()


@pytest.mark.usefixtures("here")
def test_only_a_few_images_are_read_ahead(models, monkeypatch):
    for index in range(9):
        picture(f"photos/{index}.png")
    read: list[str] = []
    original = outputs.read
    monkeypatch.setattr(outputs, "read", lambda job: read.append(job.stem) or original(job))
    ahead = []
    original_predict = models["depth"].predict

    def predict(*arguments, **settings):
        time.sleep(0.02)  # as long as a reader could use to run away
        ahead.append(len(read) - len(ahead))
        return original_predict(*arguments, **settings)

    monkeypatch.setattr(models["depth"], "predict", predict)
    go({"depth": models["depth"]}, formats=("npy",))
    assert len(ahead) == 9
    assert 1 < max(ahead) <= 4  # this one, two that are ready, one being read


def _raise(error: BaseException):
    def fails(*_args, **_kwargs):
        raise error

    return fails
