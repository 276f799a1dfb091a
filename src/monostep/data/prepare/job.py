"""What a data set hands over to be prepared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from monostep.data.manifest import Declaration, Row


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a frame once it was read."""

    invalid: float  # share of pixels without depth
    least_m: float  # of the valid depths; 0 without any
    most_m: float
    darkest: int  # of the 8-bit image, over channels and pixels
    brightest: int


@runtime_checkable  # the tests check types as the program runs
class Job(Protocol):
    """One frame to prepare; travels to worker processes."""

    @property
    def name(self) -> str:
        """The frame in words, unique in its data set."""
        ...

    @property
    def row(self) -> Row:
        """What the manifest will say of it."""
        ...

    def prepare(self) -> Facts | None:
        """Write the files that `row` names and the official layout lacks.

        Raises:
            InputError: an official file is missing, damaged, or does not fit the others.
            OutputError: a file cannot be written.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A data set's frames, in the order of the manifest."""

    declaration: Declaration
    settings: Mapping[str, str]  # all that the written files depend on
    jobs: Sequence[Job]
    notes: tuple[str, ...] = ()  # what is odd about the choice of frames
