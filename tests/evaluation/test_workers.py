import os
import pickle
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest
import read_slowly
import torch
from toy_benchmark import Toy

from monostep.errors import MissingExtraError, MonostepError
from monostep.evaluation import workers
from monostep.evaluation.baselines import Baselines
from monostep.evaluation.prepare import Preparation, Seat


def _preparation(toy):
    return Preparation(
        benchmark=toy,
        seats={0: Seat(rules=toy.rules["depth"], stored=None)},
        baselines=Baselines(),
        wanted=dict.fromkeys(range(toy.images), (0,)),
    )


def _same(one, other):
    assert (one.index, one.rivals) == (other.index, other.rivals)
    if one.case is None:
        assert other.case is None
        assert one.scored[0].line == other.scored[0].line
        return
    for name in ("image", "depth_m", "depth_valid", "normals"):
        assert torch.equal(getattr(one.case, name), getattr(other.case, name))


@pytest.mark.parametrize("count", [1, 2])
def test_processes_bring_the_same_images_in_the_same_order(count):
    preparation = _preparation(Toy(images=5, broken=(1,), empty=(3,)))
    alone = list(workers.ahead(preparation, 0))
    ahead = list(workers.ahead(preparation, count))
    assert [one.index for one in ahead] == [0, 1, 2, 3, 4]
    for one, other in zip(alone, ahead, strict=True):
        _same(one, other)


def test_what_comes_through_the_pipe_can_be_written_to():
    (prepared, *_) = workers.ahead(_preparation(Toy(images=1)), 1)
    prepared.case.depth_m.zero_()


class Lacking(Toy):
    def load(self, *_, **__):
        raise MissingExtraError("no OpenEXR here")


class Dying(Toy):
    def load(self, *_, **__):
        os._exit(1)


@pytest.mark.parametrize("count", [0, 1])
def test_what_stops_the_run_comes_out_as_itself(count):
    with pytest.raises(MissingExtraError, match="no OpenEXR here"):
        list(workers.ahead(_preparation(Lacking(images=2)), count))


def test_a_worker_that_dies_is_said_in_one_line():
    with pytest.raises(MonostepError, match="lower --workers") as caught:
        list(workers.ahead(_preparation(Dying(images=2)), 1))
    assert "\n" not in str(caught.value)


def test_workers_end_with_the_process_that_they_read_for_however_it_ended():
    process = subprocess.Popen(
        [sys.executable, read_slowly.__file__],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"reading\n"
        time.sleep(0.5)  # the workers fill their pipes
        process.kill()
        process.communicate(timeout=20)  # until nobody has the other end of stdout any more
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_how_many_follows_the_device_the_number_and_the_size(monkeypatch):
    monkeypatch.setattr(workers, "cores", lambda: 16)
    many, few = _preparation(Toy(images=50)), _preparation(Toy(images=3))
    assert workers.choose(many, on_cpu=True, asked=None) == 0
    assert workers.choose(few, on_cpu=False, asked=None) == 0
    assert workers.choose(many, on_cpu=False, asked=None) == workers.MOST
    assert workers.choose(many, on_cpu=True, asked=3) == 3
    assert workers.choose(few, on_cpu=True, asked=9) == 3
    monkeypatch.setattr(workers, "LARGE", 16 * 24 - 1)
    assert workers.choose(many, on_cpu=False, asked=None) == 2
    damaged = _preparation(Toy(images=50, broken=(0, 1)))
    assert workers.choose(damaged, on_cpu=False, asked=None) == 2


def test_the_work_can_go_to_another_process():
    again = pickle.loads(pickle.dumps(_preparation(Toy())))
    _same(again[2], _preparation(Toy())[2])
