"""Leaving in good order when asked to: SIGTERM is heard at the end of a step."""

import atexit
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import active_children
from types import FrameType


class Leave:
    """Whether the process was asked to end."""

    asked = False


@contextmanager
def on_request() -> Iterator[Leave]:
    """Inside the block SIGTERM only sets `asked`; after it, the signal comes as it would have."""
    leave = Leave()

    def remember(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
        leave.asked = True

    if threading.current_thread() is not threading.main_thread():
        yield leave
        return
    before = signal.signal(signal.SIGTERM, remember)
    try:
        yield leave
    finally:
        signal.signal(signal.SIGTERM, before)
    if leave.asked:
        signal.raise_signal(signal.SIGTERM)


def stay(worker: int) -> None:  # noqa: ARG001 - what a data loader passes
    """Make a process that reads data deaf to SIGTERM; it ends when the one that it reads for does.

    Schedulers signal every process of a job, and the last step still needs its data.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


@contextmanager
def ended_at_exit() -> Iterator[None]:
    """See to it that processes which the block starts end with this one, deaf as they are.

    Python signals SIGTERM to what is left at its exit, and then waits for it. Usually nothing is
    left, but an error that is still held somewhere holds the data loader, too.
    """
    before = set(active_children())
    try:
        yield
    finally:
        for child in set(active_children()) - before:
            atexit.register(child.kill)
