"""What every benchmark is: images with truth, each loaded by its number, in any process."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from monostep.evaluation.case import Case
from monostep.evaluation.rules import Rules, Task


@runtime_checkable
class Benchmark(Protocol):
    """Images with truth and the rules by which they are judged; picklable, holds no open file."""

    @property
    def name(self) -> str:
        """As it is typed: nyuv2, procedural."""
        ...

    @property
    def rules(self) -> Mapping[Task, Rules]:
        """How predictions are made and judged, for each task that the truth can judge."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """The images' names in their order, without opening them."""
        ...

    def load(self, index: int, *, image: bool = True) -> Case:
        """One image with its truth; the image itself only if it is asked for.

        Raises:
            InputError: a file is missing or damaged; the message names it.
        """
        ...

    def about(self) -> Mapping[str, Any]:
        """Every choice that scores depend on besides the rules: list and its hash, decoding, crop.

        Plain values; equal contents mean that the same pixels are compared with the same truth.
        """
        ...
