import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from monostep.training import leaving


@pytest.fixture
def heard():
    """SIGTERMs that come to the program itself."""
    signals = []
    before = signal.signal(signal.SIGTERM, lambda number, _: signals.append(number))
    yield signals
    signal.signal(signal.SIGTERM, before)


def test_the_signal_waits_for_the_end_of_the_block_and_then_comes_as_it_would_have(heard):
    with leaving.on_request() as leave:
        os.kill(os.getpid(), signal.SIGTERM)
        assert leave.asked
        assert heard == []
    assert heard == [signal.SIGTERM]


def test_without_a_signal_nothing_comes(heard):
    with leaving.on_request() as leave:
        assert not leave.asked
    assert heard == []


def test_an_error_is_not_replaced_by_the_signal(heard):
    with pytest.raises(ValueError, match="why"), leaving.on_request():
        os.kill(os.getpid(), signal.SIGTERM)
        raise ValueError("why")
    assert heard == []


def test_in_another_thread_signals_are_not_ours(heard):
    def use():
        with leaving.on_request() as leave:
            leave.asked = True

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert heard == []


def test_a_worker_stays():
    script = (
        "import os, signal, importlib.util as u\n"
        f"spec = u.spec_from_file_location('leaving', {leaving.__file__!r})\n"
        "module = u.module_from_spec(spec); spec.loader.exec_module(module)\n"
        "module.stay(0)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "print('still here')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"still here\n")


def test_what_a_block_that_failed_had_started_ends_with_the_program(monkeypatch):
    registered = []
    monkeypatch.setattr(leaving.atexit, "register", registered.append)
    started = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    with pytest.raises(ValueError, match="why"), leaving.ended_at_exit():
        started.start()
        raise ValueError("why")
    (end,) = registered
    end()
    started.join()
    assert started.exitcode == -signal.SIGKILL
