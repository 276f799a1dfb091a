"""The process of one subject: it loads once, and then does what it is asked, one thing at a time.

So programs do not share an allocator, a thread pool or a peak of memory, and one that is not asked
does nothing.
"""

import signal
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor
from torch.nn import functional as F

from monostep.benchmark import loading
from monostep.benchmark.cases import Case
from monostep.benchmark.program import Map, Pictures, Program, Weights
from monostep.benchmark.stopwatch import Stopwatch
from monostep.benchmark.subjects import Subject
from monostep.errors import MonostepError
from monostep.inspection import memory

_WARM_UPS, _WARM_UPS_COMPILED = 1, 3  # CUDA graphs are recorded at the second call


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """Which subject a process is, and where it runs."""

    subject: Subject
    weights: Weights
    device: str
    threads: int | None = None

    def worker(self) -> Any:
        """Who answers for the subject in its process."""
        return Worker(self)

    def program(self, device: torch.device) -> Program:
        """What the subject runs, loaded."""
        return loading.load(self.subject, self.weights, device)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What loading took; the peak is the process's from its start on, libraries and all."""

    dtype: str
    import_seconds: float
    load_seconds: float
    peak_bytes: int | None
    weight_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds by stage of one prediction, and the peak of the process since the case began."""

    seconds: dict[str, float]
    peak_bytes: int | None


class Worker:
    """A loaded subject. What it returns can travel between processes."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._device = torch.device(assignment.device)
        if assignment.threads:
            torch.set_num_threads(assignment.threads)

    def load(self) -> Loaded:
        """Load the program; everything else comes after it."""
        subject = self._assignment.subject
        begin = time.perf_counter()
        loading.libraries(subject)
        imported = time.perf_counter()
        self._program = self._assignment.program(self._device)
        done = time.perf_counter()
        self._stopwatch = Stopwatch(self._program.timed, self._device)
        return Loaded(
            dtype=self._program.dtype,
            import_seconds=imported - begin,
            load_seconds=done - imported,
            peak_bytes=memory.peak_bytes(self._device),
            weight_bytes=self._program.weight_bytes,
        )

    def begin(
        self, case: Case, pictures: Float32[np.ndarray, "batch 3 height width"], *, warm: bool
    ) -> tuple[int, int]:
        """Take a case and warm up, if asked; the height and width that this program is given."""
        self._case = case
        self._pictures = _fitted(torch.from_numpy(pictures), self._program.patch)
        memory.start(self._device)
        compiled = self._assignment.subject.compiled
        for _ in range((_WARM_UPS_COMPILED if compiled else _WARM_UPS) if warm else 0):
            self._predict()
        return self._pictures.shape[-2], self._pictures.shape[-1]

    def time(self) -> Timing:
        """Predict once."""
        seconds = self._stopwatch.seconds(self._predict)
        return Timing(seconds=seconds, peak_bytes=memory.peak_bytes(self._device))

    def compare(self) -> Map | None:
        """The first picture's map as diffusers returns it, in full float32 if that is its type."""
        if self._program.compare is None:
            return None
        with _no_tf32() if self._device.type == "cuda" else nullcontext():
            return self._program.compare(self._pictures, self._case)

    def count(self) -> dict[str, int]:
        """Multiply-adds by stage of one prediction."""
        return self._stopwatch.multiply_adds(self._predict)

    def _predict(self) -> Any:
        return self._program.predict(self._pictures, self._case)


def serve(connection: Connection, assignment: Assignment) -> None:
    """Answer questions (method, arguments, options) until None comes; the main of a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    warnings.simplefilter("ignore")  # other packages' advice, from every process
    worker = assignment.worker()
    with suppress(EOFError):  # the parent is gone
        while (asked := connection.recv()) is not None:
            connection.send(_answer(worker, *asked))


def _answer(
    worker: Any, method: str, arguments: Sequence[Any], options: Mapping[str, Any]
) -> tuple[bool, Any]:
    """Whether it went well, and the outcome or what went wrong."""
    try:
        return True, getattr(worker, method)(*arguments, **options)
    except MonostepError as error:
        return False, str(error)
    except Exception as error:  # noqa: BLE001 - other people's code may fail in any way
        reason = (str(error).splitlines() or ["no reason given"])[0]
        return False, f"{type(error).__name__}: {reason}"


def _fitted(pictures: Pictures, patch: int) -> Float[Tensor, "batch 3 near_height near_width"]:
    """The pictures at the nearest size whose sides are divisible by the patch."""
    near = [max(round(side / patch), 1) * patch for side in pictures.shape[-2:]]
    if near == list(pictures.shape[-2:]):
        return pictures
    return F.interpolate(pictures, size=near, mode="bilinear", antialias=True)


@contextmanager
def _no_tf32() -> Iterator[None]:
    """Products of float32 in float32 also on GPUs that would round their factors to 10 bits."""
    was = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(
            enabled=True,
            benchmark=torch.backends.cudnn.benchmark,
            deterministic=torch.backends.cudnn.deterministic,
            allow_tf32=False,
        ):
            yield
    finally:
        torch.set_float32_matmul_precision(was)
