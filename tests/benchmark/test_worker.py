import multiprocessing
import signal
import threading
from functools import partial

import pytest
import torch

from monostep.benchmark import worker as workers
from monostep.benchmark.cases import Case, pictures
from monostep.benchmark.program import Program
from monostep.benchmark.subjects import OURS, PEAK, Subject
from monostep.benchmark.worker import Assignment, Worker, serve
from monostep.errors import SettingError

CASE = Case(size=(32, 48))


def _assignment(weights, kind=OURS, dtype="fp32"):
    return Assignment(subject=Subject(kind=kind, dtype=dtype), weights=weights, device="cpu")


@pytest.fixture(scope="module")
def worker(weights):
    worker = Worker(_assignment(weights))
    worker.load()
    worker.begin(CASE, pictures(CASE).numpy(), warm=True)
    return worker


@pytest.fixture
def stub(monkeypatch):
    """A program that is loaded at once."""
    program = Program(dtype="bf16", predict=lambda *_: None)
    monkeypatch.setattr(workers.loading, "load", lambda *_: program)


@pytest.mark.usefixtures("stub")
def test_loading_tells_what_it_took(weights):
    loaded = Worker(_assignment(weights, dtype="auto")).load()
    assert loaded.dtype == "bf16"
    assert loaded.import_seconds >= 0 and loaded.load_seconds >= 0
    assert loaded.peak_bytes is None or loaded.peak_bytes > 2**20


def test_a_prediction_tells_seconds_by_stage_and_the_peak(worker):
    timing = worker.time()
    assert timing.seconds.keys() == {"encode", "unet", "decode", "whole"}
    assert sum(timing.seconds.values()) <= 2 * timing.seconds["whole"]
    assert timing.peak_bytes is None or timing.peak_bytes > 2**20


def test_multiply_adds_by_stage_make_up_nearly_all(worker):
    counts = worker.count()
    parts = counts["encode"] + counts["unet"] + counts["decode"]
    assert 0.99 * counts["whole"] <= parts <= counts["whole"]
    assert counts["decode"] > counts["encode"]


def test_the_map_is_the_first_pictures(worker):
    made = worker.compare()
    assert made.shape == (32, 48, 1)
    assert made.std() > 0.01


@pytest.mark.usefixtures("stub")
@pytest.mark.parametrize(
    ("compiled", "warm", "runs"), [(False, True, 1), (True, True, 3), (True, False, 0)]
)
def test_warm_up_is_longer_for_compiled_and_can_be_left_out(weights, compiled, warm, runs):
    subject = Subject(kind=OURS, dtype="fp32", compiled=compiled)
    worker = Worker(Assignment(subject=subject, weights=weights, device="cpu"))
    worker.load()
    predicted = []
    worker._predict = lambda: predicted.append(1)
    assert worker.begin(CASE, pictures(CASE).numpy(), warm=warm) == (32, 48)
    assert len(predicted) == runs


def test_pictures_get_the_nearest_size_that_the_patches_divide():
    assert workers._fitted(torch.rand(2, 3, 384, 512), 14).shape == (2, 3, 378, 518)
    assert workers._fitted(torch.rand(1, 3, 5, 4), 14).shape == (1, 3, 14, 14)
    same = torch.rand(1, 3, 16, 8)
    assert workers._fitted(same, 8) is same


def test_a_matrix_product_has_no_map(weights):
    worker = Worker(_assignment(weights, kind=PEAK))
    worker.load()
    worker.begin(CASE, pictures(CASE).numpy(), warm=False)
    assert worker.compare() is None
    assert worker.time().seconds.keys() == {"whole"}
    side = round(worker.count()["whole"] ** (1 / 3))
    assert side >= 512 and worker.count()["whole"] == side**3


@pytest.mark.usefixtures("stub")
def test_it_answers_until_it_is_sent_home_and_says_what_went_wrong(weights, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # only a main thread may
    monkeypatch.setattr(workers.warnings, "simplefilter", lambda _: None)
    ours, theirs = multiprocessing.Pipe()
    thread = threading.Thread(target=serve, args=(theirs, _assignment(weights)), daemon=True)
    thread.start()
    ours.send(("time", (), {}))
    well, reason = ours.recv()
    assert not well and reason.startswith("AttributeError: ")
    ours.send(("load", (), {}))
    assert ours.recv()[0] is True
    ours.send(None)
    thread.join(10)
    assert not thread.is_alive()


def test_reasons_are_one_line():
    class Stub(Worker):
        def __init__(self):
            pass

        def fail(self, error, *, and_say="first\nsecond"):
            raise error(and_say)

        def add(self, one, *, other):
            return one + other

    answer = partial(workers._answer, Stub())
    assert answer("add", (1,), {"other": 2}) == (True, 3)
    assert answer("fail", (RuntimeError,), {}) == (False, "RuntimeError: first")
    assert answer("fail", (SettingError,), {"and_say": "a line"}) == (False, "a line")
    assert answer("sing", (), {})[1].startswith("AttributeError: ")


def test_products_are_exact_while_maps_are_compared():
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high")
    try:
        with workers._no_tf32():
            assert torch.get_float32_matmul_precision() == "highest"
            assert not torch.backends.cudnn.allow_tf32
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision(before[0])
    assert torch.backends.cudnn.allow_tf32 == before[1]


def test_threads_are_those_asked_for(weights):
    subject = Subject(kind=OURS, dtype="fp32")
    Worker(Assignment(subject=subject, weights=weights, device="cpu", threads=1))
    assert torch.get_num_threads() == 1
