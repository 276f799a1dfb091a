"""The process of one program that learns: it loads, takes its images, and then step after step."""

import time
from dataclasses import dataclass
from functools import partial

import torch

from monostep.benchmark import diffusers_program
from monostep.benchmark.subjects import DIFFUSERS, OURS
from monostep.benchmark.training_diffusers import DiffusersLearner
from monostep.benchmark.training_own import OwnLearner
from monostep.benchmark.training_program import TUNED, Learner, TrainingAssignment
from monostep.benchmark.training_work import Work
from monostep.benchmark.worker import Loaded
from monostep.inspection import memory


@dataclass(frozen=True, kw_only=True)
class Begun:
    """Bytes of the process before its first step, and those that no step can do without."""

    before_bytes: int | None
    kept_bytes: int


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step; the peak is the process's since it took its images.

    Processor seconds, of all its threads, do not grow while others have the processor.
    """

    seconds: float
    processor_seconds: float
    loss: float
    norm: float
    peak_bytes: int | None


class TrainingWorker:
    """A program that learns. What it returns can travel between processes."""

    def __init__(self, assignment: TrainingAssignment) -> None:
        self._assignment = assignment
        self._device = torch.device(assignment.device)
        if assignment.threads:
            torch.set_num_threads(assignment.threads)

    def load(self) -> Loaded:
        """Load networks and optimiser; everything else comes after it."""
        begin = time.perf_counter()
        if self._assignment.subject.kind != OURS:
            diffusers_program.libraries()
        imported = time.perf_counter()
        self._learner = learner(self._assignment)
        return Loaded(
            dtype=self._assignment.subject.dtype,
            import_seconds=imported - begin,
            load_seconds=time.perf_counter() - imported,
            peak_bytes=memory.peak_bytes(self._device),
        )

    def begin(self, work: Work) -> Begun:
        """Take the images, and begin to measure memory."""
        self._learner.begin(work)
        memory.start(self._device)
        before = memory.peak_bytes(self._device)
        return Begun(before_bytes=before, kept_bytes=self._learner.kept_bytes)

    def step(self) -> Step:
        """One step, from an idle device until it is done."""
        self._wait()
        begin, busy = time.perf_counter(), time.process_time()
        seen = self._learner.step()
        self._wait()
        return Step(
            seconds=time.perf_counter() - begin,
            processor_seconds=time.process_time() - busy,
            loss=seen.loss,
            norm=seen.norm,
            peak_bytes=memory.peak_bytes(self._device),
        )

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


def learner(assignment: TrainingAssignment) -> Learner:
    """The program of an assignment's subject."""
    ways = {
        OURS: OwnLearner,
        DIFFUSERS: partial(DiffusersLearner, tuned=False),
        TUNED: partial(DiffusersLearner, tuned=True),
    }
    return ways[assignment.subject.kind](assignment)
