"""A study from where it stands to its end: jobs as processes, several at once, resumable."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import torch

from monostep.benchmark import machine
from monostep.errors import MissingExtraError, TrainingError
from monostep.files.atomic import write_json
from monostep.reproduction import jobs as listed
from monostep.reproduction import plan, times
from monostep.reproduction.budget import Budget
from monostep.reproduction.jobs import Job
from monostep.reproduction.study import run_folder

LOCK = "lock"
TRAINER = "monostep"
WORK = "monostep.reproduction.work"
PACKAGES = ("scipy", "matplotlib")  # ensembles, figures
TICK_S = 0.2
COUNT_S = 10.0  # what a kill can lose of the times
Say = Callable[[str], None]


@dataclass(kw_only=True, eq=False)
class _Running:
    job: Job
    process: subprocess.Popen
    counted: float  # until when its time is in the file
    seconds: float = 0.0


@dataclass(kw_only=True, eq=False)
class Crew:
    """Runs jobs, so many at once; a failed one takes those along that need it, and no others."""

    folder: Path
    budget: Budget
    at_once: int
    say: Say
    lock: int  # open file; jobs hold it too, so that what a killed command left behind is seen
    running: list[_Running] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    counted: float = field(default_factory=time.monotonic)

    def run(self, jobs: Sequence[Job]) -> None:
        """Do what is not done; after an interrupt everything that runs is saved first."""
        waiting = listed.missing(jobs)
        self.say(f"{len(jobs)} jobs, {len(jobs) - len(waiting)} of them done before")
        finished = {job.name for job in jobs if job not in waiting}
        try:
            while waiting or self.running:
                finished |= self._collect()
                lost = [job for job in waiting if set(job.needs) & set(self.failed)]
                self.failed += [job.name for job in lost]
                waiting = [job for job in waiting if job not in lost]
                for job in self._next(waiting, finished):
                    waiting.remove(job)
                    self._start(job)
                if time.monotonic() - self.counted > COUNT_S:
                    self._count()
                time.sleep(TICK_S)
        except BaseException:
            self._leave()
            raise

    def _next(self, waiting: Sequence[Job], finished: set[str]) -> list[Job]:
        """What may start now, in the order of the list; what measures time waits for quiet."""
        if any(each.job.alone for each in self.running):
            return []
        if waiting and waiting[0].alone:
            return [] if self.running else [waiting[0]]
        ready = [job for job in waiting if set(job.needs) <= finished and not job.alone]
        return ready[: self.at_once - len(self.running)]

    def _start(self, job: Job) -> None:
        command = [sys.executable, "-m", *self._module(job)]
        log = self.folder / "logs" / f"{job.name.replace(' ', '-')}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        # One thread each: the same bits whatever the number of cores.
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
        with log.open("a") as file:
            process = subprocess.Popen(
                command,
                stdout=file,
                stderr=file,
                env=environment,
                start_new_session=True,
                pass_fds=(self.lock,),
            )
        self.running.append(_Running(job=job, process=process, counted=time.monotonic()))
        self.say(f"{job.name}: begins")

    def _module(self, job: Job) -> list[str]:
        if not job.trains:
            return [WORK, str(self.folder), self.budget.name, *job.words]
        begun = (_folder_of(self.folder, job) / "config.json").is_file()
        return [TRAINER, *job.words, *(["--resume"] if begun else [])]

    def _collect(self) -> set[str]:
        """Take note of what has ended; the names of what is done."""
        ended = [each for each in self.running if each.process.poll() is not None]
        if ended:
            self._count()
        self.running = [each for each in self.running if each not in ended]
        return {each.job.name for each in ended if self._note(each)}

    def _note(self, each: _Running) -> bool:
        job = each.job
        if each.process.returncode == 0 and job.trains:
            _finish(_folder_of(self.folder, job))
        if each.process.returncode != 0 or not job.is_done:
            self.failed.append(job.name)
            self.say(f"{job.name}: failed; see {self.folder / 'logs'}")
            return False
        self.say(f"{job.name}: done, {each.seconds:.0f} s")
        return True

    def _count(self) -> None:
        """Write down the time of what runs, so that a kill loses no more than a few seconds."""
        self.counted = time.monotonic()
        for each in self.running:
            more, each.counted = self.counted - each.counted, self.counted
            each.seconds += more
            times.add(self.folder, each.job.name, more)
        times.grow_piece(self.folder, seconds=self.counted - self.began)

    def _leave(self) -> None:
        """Ask trainings to save their state, wait for them, and count their time."""
        for name in (
            signal.SIGINT,
            signal.SIGTERM,
            signal.SIGHUP,
        ):  # a second one would leave them alone
            signal.signal(name, signal.SIG_IGN)
        for each in self.running:
            each.process.send_signal(signal.SIGTERM)
        for each in self.running:
            each.process.wait()
        self._count()


def _folder_of(folder: Path, job: Job) -> Path:
    return run_folder(folder, job.name)


def _finish(run: Path) -> None:
    """Mark a training as done and give back the space of its states, which nobody resumes."""
    write_json(run / listed.FINISHED, {"run": run.name})
    shutil.rmtree(run / "states", ignore_errors=True)


def run(
    folder: Path, budget: Budget, *, at_once: int, say: Say, seeds: Collection[int] | None = None
) -> None:
    """Bring a study to its end, or some of its seeds.

    Raises:
        MissingExtraError: what it needs on its way is not installed.
        SettingError: the folder holds a study of another budget.
        TrainingError: some jobs failed; it names them.
    """
    _check_packages()
    plan.begin(folder, budget)
    jobs = listed.jobs(folder, budget, seeds)
    with _alone(folder) as lock, _piece(folder, at_once, needed=bool(listed.missing(jobs))):
        crew = Crew(folder=folder, budget=budget, at_once=at_once, say=say, lock=lock)
        crew.run(jobs)
    if crew.failed:
        raise TrainingError(
            f"{len(crew.failed)} jobs failed or need one that did: {', '.join(crew.failed)}; "
            f"see {folder / 'logs'}, and start again to try them again"
        )


def _check_packages() -> None:
    """Refuse to begin hours of work at whose end a package is missing."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"the study needs the package {' and '.join(missing)}: "
            "pip install 'monostep[reproduce]'"
        )


@contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """No second command may work in the folder; TrainingError if one does, or its jobs still do."""
    with (folder / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise TrainingError(
                f"{folder}: another command works on this study, or trainings that a killed one "
                "left behind; wait for them, or end them first"
            ) from error
        yield file.fileno()


@contextmanager
def _piece(folder: Path, at_once: int, *, needed: bool) -> Iterator[None]:
    """Note when the study ran, and whether it was cut; nothing where there is nothing to do."""
    if not needed:
        yield
        return
    began = datetime.now(UTC).isoformat(timespec="seconds")
    facts = machine.describe(torch.device("cpu"), None)
    where = {name: facts[name] for name in ("cpu", "cores", "torch")}
    times.begin_piece(folder, began=began, at_once=at_once, where=where)
    clock = time.monotonic()
    try:
        yield
    except BaseException:
        times.grow_piece(folder, seconds=time.monotonic() - clock)
        raise
    times.grow_piece(folder, seconds=time.monotonic() - clock, ended="end")
