"""The processes of the subjects as their parent sees them, only one of them at work at a time."""

import multiprocessing
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

from monostep.benchmark.subjects import Subject
from monostep.benchmark.worker import Assignment, Loaded, serve
from monostep.errors import MonostepError

_SETTLE = 0.05  # seconds after an answer until thread pools have stopped spinning
_PATIENCE = 10  # seconds for a process to end by itself


class SubjectError(MonostepError):
    """A subject could not do what it was asked."""


class Colleague(Protocol):
    """A subject that can be asked."""

    def ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        """What the worker's method returns; raises SubjectError."""
        ...

    def dismiss(self) -> None:
        """Let it go, and with it its memory."""
        ...


Hire: TypeAlias = Callable[[Assignment], Colleague]


class Process:
    """A worker in a process of its own."""

    def __init__(self, assignment: Assignment) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, assignment), daemon=True)
        self._process.start()
        theirs.close()  # so that the end of the process is the end of the line

    def ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        """What the worker's method returns; SubjectError with the reason if it raised or died."""
        try:
            self._connection.send((method, arguments, options))
            well, outcome = self._connection.recv()
        except (EOFError, OSError) as error:
            self._process.join(_PATIENCE)
            raise SubjectError(
                f"the process ended with code {self._process.exitcode}; a negative code is a "
                "signal, and 9 most often means that memory ran out"
            ) from error
        time.sleep(_SETTLE)
        if not well:
            raise SubjectError(outcome)
        return outcome

    def dismiss(self) -> None:
        """Ask the process to end, and see to it that it does."""
        with suppress(OSError):
            self._connection.send(None)
        self._process.join(_PATIENCE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._connection.close()


class Fleet:
    """The subjects that are loaded, in the order they came, and why others are not.

    Leaving its context ends their processes.
    """

    def __init__(self, hire: Hire = Process) -> None:
        self._hire = hire
        self.members: dict[str, Colleague] = {}
        self.subjects: dict[str, Subject] = {}
        self.loaded: dict[str, Loaded] = {}
        self.failed: dict[str, str] = {}

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(self, *_: object) -> None:
        for member in self.members.values():
            member.dismiss()
        self.members.clear()

    def enlist(self, assignment: Assignment) -> str | None:
        """Load a subject; its name, or None if it failed or if our default is the same already.

        A subject whose precision is "auto" gets the name of the precision that it chose.
        """
        asked = assignment.subject
        if asked.name in self.subjects:
            return None
        member = self._hire(assignment)
        try:
            loaded: Loaded = member.ask("load")
        except BaseException as error:
            member.dismiss()
            if not isinstance(error, SubjectError):
                raise
            self.failed[asked.name] = str(error)
            return None
        subject = replace(asked, dtype=loaded.dtype)
        self.members[subject.name] = member
        self.subjects[subject.name] = subject
        self.loaded[subject.name] = loaded
        return subject.name

    def drop(self, name: str, reason: str) -> None:
        """Go on without one, which could not do what it was asked."""
        self.failed[name] = reason
        self.release(name)

    def release(self, name: str) -> None:
        """Let a loaded one go; what it told remains."""
        self.members.pop(name).dismiss()
