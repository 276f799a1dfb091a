import threading
import time
from functools import partial

import pytest

from monostep.runner.overlap import Behind, ahead, threads


def monostep_threads():
    return [each.name for each in threading.enumerate() if each.name.startswith("monostep")]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("most", [1, 4])
def test_ahead_is_map_in_order(count, most):
    with threads("test", count) as executor:
        assert list(ahead(executor, lambda n: n * n, range(20), most=most)) == [
            n * n for n in range(20)
        ]


def test_ahead_goes_on_while_its_user_works_but_only_so_far():
    begun = []
    with threads("test", 1) as executor:
        results = ahead(executor, lambda n: begun.append(n) or n, range(50), most=3)
        for taken, result in enumerate(results):
            time.sleep(0.005)
            assert result == taken
            assert begun[-1] == min(taken + 3, 49)


def test_behind_bounds_the_weight_that_waits():
    waiting, seen, gate = [], [], threading.Semaphore(0)

    def work(n):
        gate.acquire()
        waiting.remove(n)

    with threads("test", 1) as executor:
        behind = Behind(executor, most=10)
        for n in range(12):
            threading.Timer(0.01 * n, gate.release).start()
            waiting.append(n)
            behind.put(partial(work, n), weight=4)
            seen.append(len(waiting))
        behind.finish()
    assert max(seen) == 2
    assert not waiting


def test_one_too_heavy_alone_still_leaves_its_user_free():
    gate = threading.Event()
    with threads("test", 1) as executor:
        behind = Behind(executor, most=1)
        behind.put(partial(_wait, gate), weight=100)  # returns at once
        gate.set()
        behind.finish()


def _wait(gate):
    assert gate.wait(5)


def _fail():
    raise OSError("disk")


def test_what_a_thread_raises_is_raised_at_the_next_put_or_at_the_end():
    with threads("test", 1) as executor, pytest.raises(OSError, match="disk"):
        behind = Behind(executor, most=100)
        behind.put(_fail, weight=1)
        time.sleep(0.05)
        behind.put(lambda: None, weight=1)
    with threads("test", 1) as executor, pytest.raises(OSError, match="disk"):
        behind = Behind(executor, most=100)
        behind.put(_fail, weight=1)
        behind.finish()


def test_an_error_leaves_no_thread_and_begins_nothing_more():
    begun = []

    def slow(n):
        begun.append(n)
        time.sleep(0.02)

    with pytest.raises(KeyboardInterrupt), threads("test", 1) as executor:
        for _ in ahead(executor, slow, range(50), most=10):
            assert monostep_threads()
            raise KeyboardInterrupt
    assert len(begun) <= 3
    assert not monostep_threads()
