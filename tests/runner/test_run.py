"""Many images at once: what fails alone, what ends the run, and how much is read ahead."""

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from many_files import files, go, picture, statuses
from PIL import Image

from monostep.errors import MissingExtraError, OutputError
from monostep.files import atomic
from monostep.runner import inputs, run
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
        forward = network.forward

        def broken(image):
            pure_red = (
                (image[:, :1] > 0.99).all() if len(image) == 1 else image[1:2, 0].min() > 0.99
            )
            return forward(image) / (0 if pure_red else 1)

        monkeypatch.setattr(network, "forward", broken)
        outcomes, _ = go(models, batch_size=3)
        assert [each.status for each in outcomes] == ["written", "failed", "written"]
        assert "not finite" in (outcomes[1].error or "")

    def test_memory_that_does_not_suffice_is_one_line(self, models, monkeypatch):
        picture("a.png")
        error = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")
        monkeypatch.setattr(models["depth"].network, "forward", _raise(error))
        (outcome,), _ = go(models, "a.png")
        assert outcome.error == (
            "a.png: not enough memory; try a smaller --resolution or --batch-size"
        )

    def test_a_mistake_of_ours_is_not_hidden(self, models, monkeypatch):
        picture("a.png")
        monkeypatch.setattr(models["depth"].network, "forward", _raise(RuntimeError("a bug")))
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
            go(models, "a.png", endings=(".exr",))

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
        assert statuses(models, "a.png", resolution=32) == ["written"]
        assert Path("precious.txt").exists()


def test_only_a_few_images_are_read_ahead(here, models, monkeypatch):
    for index in range(9):
        picture(f"photos/{index}.png")
    read: list[str] = []
    original = run.outputs.read
    monkeypatch.setattr(run.outputs, "read", lambda job: read.append(job.stem) or original(job))
    ahead = []
    found = inputs.find(["photos"], output=here / "out")
    run.run(
        found.jobs,
        {"depth": models["depth"]},
        replace(Settings(output=here / "out"), endings=(".npy",)),
        lambda _: ahead.append(len(read) - len(ahead)),
    )
    assert max(ahead) <= 4  # this one, two waiting, one just asked for


def _raise(error: BaseException):
    def fails(*_args, **_kwargs):
        raise error

    return fails
