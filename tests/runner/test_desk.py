import errno
import os
from pathlib import Path

import pytest
from many_files import files, picture

from monostep.errors import InputError, OutputError
from monostep.files import atomic
from monostep.pictures import as_tensor
from monostep.runner import inputs
from monostep.runner.batch import Prediction
from monostep.runner.desk import Closed, Desk
from monostep.runner.ledger import Ledger
from monostep.runner.plan import plan
from monostep.runner.settings import Settings


@pytest.fixture
def made(here, models):
    """A desk, the job of a picture, what the models say of it, and the outcomes told."""
    picture("photos/a.png")
    predictors = {"depth": models["depth"]}
    (job,) = inputs.find(["photos"], output=here / "out").jobs
    told = []
    planned = plan(predictors, Settings(output=Path("out"), formats=("npy",)))
    desk = Desk(planned, Ledger([job], told.append))
    image = as_tensor(job.source)
    results = models["depth"].predict([image], planned.inferences["depth"])
    return desk, job, Prediction(results={"depth": results[0]}, milliseconds=7.0), told


def test_a_picture_comes_in_and_its_results_go_out(made):
    desk, job, prediction, told = made
    arrived = desk.bring_in(job)
    assert arrived.pixels == 24 * 16
    assert told == []
    desk.take_out(job, arrived.input, prediction)
    assert files() == {"a.depth.npy", "a.json"}
    assert (told[0].status, told[0].size, told[0].milliseconds) == ("written", (24, 16), 7.0)


def test_what_is_complete_and_what_is_broken_end_at_once(made):
    desk, job, prediction, told = made
    desk.take_out(job, desk.bring_in(job).input, prediction)
    again = []
    desk._ledger = Ledger([job], again.append)
    assert desk.bring_in(job) is None
    assert (again[0].status, again[0].outputs) == ("skipped", told[0].outputs)
    job.source.write_bytes(b"no image")
    desk._ledger = Ledger([job], again.append)
    assert desk.bring_in(job) is None
    assert again[1].error.startswith("photos/a.png: ")


def test_a_reason_instead_of_results_is_the_outcome(made):
    desk, job, _, told = made
    desk.take_out(job, desk.bring_in(job).input, InputError("photos/a.png: too large"))
    assert (told[0].status, told[0].error) == ("failed", "photos/a.png: too large")
    assert not Path("out").exists()


def test_a_closed_desk_begins_no_file(made):
    desk, job, prediction, told = made
    arrived = desk.bring_in(job)
    with desk:
        pass
    with pytest.raises(Closed):
        desk.take_out(job, arrived.input, prediction)
    assert not Path("out").exists()
    assert told == []


@pytest.mark.parametrize(
    ("code", "ends_the_run"), [(errno.ENOSPC, True), (errno.EACCES, True), (errno.ENAMETOOLONG, 0)]
)
def test_only_what_would_hit_every_image_ends_the_run(made, monkeypatch, code, ends_the_run):
    desk, job, prediction, told = made
    arrived = desk.bring_in(job)

    def fails(_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(atomic, "_flush", fails)
    if ends_the_run:
        with pytest.raises(OutputError):
            desk.take_out(job, arrived.input, prediction)
        assert told == []
    else:
        desk.take_out(job, arrived.input, prediction)
        assert told[0].status == "failed"
