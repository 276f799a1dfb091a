"""The processes of a run: one, or as many as `torchrun` started.

Each computes its share of every step; gradients are averaged by DDP or FSDP2. What must be the
same everywhere, such as whether a step counts, is agreed on in one small exchange.
"""

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from monostep.device import choose_device
from monostep.errors import MonostepError, SettingError, TrainingError

NEEDED = ("RANK", "MASTER_ADDR", "MASTER_PORT")  # what torchrun sets besides WORLD_SIZE
ABSENT = re.compile(r"Ranks? ([\d, ]+) failed to pass monitoredBarrier")


@dataclass(frozen=True, kw_only=True)
class World:
    """This process among the others."""

    device: torch.device
    rank: int = 0
    size: int = 1
    patience: timedelta = timedelta(minutes=10)
    control: Any = None  # group on the CPU, for agreements
    hosts: tuple[str, ...] = ()  # machine of each process

    @property
    def leads(self) -> bool:
        """Whether this process writes what is written once."""
        return self.rank == 0

    def meet(self, where: str) -> None:
        """Wait for all processes; TrainingError naming those that do not come in time."""
        if self.size == 1:
            return
        try:
            dist.monitored_barrier(self.control, timeout=self.patience, wait_all_ranks=True)
        except RuntimeError as error:
            raise TrainingError(self._missing(where, str(error))) from error

    def total(self, *values: float) -> list[float]:
        """Sums over all processes, the same everywhere to the bit."""
        if self.size == 1:
            return list(values)
        numbers = torch.tensor(values, dtype=torch.float64)
        with self.connected("for a sum"):
            dist.all_reduce(numbers, group=self.control)
        return numbers.tolist()

    def gather(self, value: Any) -> list[Any]:
        """One value of each process, in order of rank, everywhere."""
        if self.size == 1:
            return [value]
        every: list[Any] = [None] * self.size
        with self.connected("for a value"):
            dist.all_gather_object(every, value, group=self.control)
        return every

    @contextmanager
    def together(self, where: str) -> Iterator[None]:
        """What fails on one process inside the block fails on all, with the first one's words.

        Nothing may be exchanged inside: a process that failed would be waited for.
        """
        failed = None
        try:
            yield
        except MonostepError as error:
            failed = error
        if self.size > 1:
            self.meet(where)
        for error in self.gather(failed):
            if error is not None:
                raise error

    @contextmanager
    def connected(self, where: str) -> Iterator[None]:
        """Inside, a process that is lost or stuck ends in a TrainingError that names it."""
        try:
            yield
        except RuntimeError as error:
            if self.size == 1 or not _of_connection(error):
                raise
            self.meet(where)  # says who does not answer
            raise TrainingError(
                f"process {self.rank}{self._host(self.rank)}: an exchange with the others failed "
                f"{where} ({' '.join(str(error).split())}); --resume goes on"
            ) from error

    def _missing(self, where: str, reason: str) -> str:
        waited = f"process {self.rank}{self._host(self.rank)} waited {where}"
        if found := ABSENT.search(reason):
            absent = [int(rank) for rank in re.findall(r"\d+", found[1])]
            names = ", ".join(f"process {rank}{self._host(rank)}" for rank in absent)
            who = f"{names} did not come within {self.patience.total_seconds():g} s"
        else:  # processes above 0 only know that the first one did not let them go on
            who = "process 0 did not answer, or waited in vain for another, which it then names"
        return f"{waited}: {who}; look at the last lines of that process's log"

    def _host(self, rank: int) -> str:
        return f" ({self.hosts[rank]})" if self.hosts else ""


def _of_connection(error: RuntimeError) -> bool:
    return isinstance(error, dist.DistError) or "gloo" in str(error).lower()


@contextmanager
def joined(device: str, patience_s: float) -> Iterator[World]:
    """The world of this process, from the environment that torchrun sets; left at the end.

    Raises:
        SettingError: an environment that says only half of it, or no GPU for this process.
        TrainingError: the other processes cannot be reached.
    """
    chosen = choose_device(device)
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World(device=chosen)
        return
    if missing := [name for name in NEEDED if name not in os.environ]:
        raise SettingError(
            f"WORLD_SIZE is {size}, but {', '.join(missing)} not set: start with torchrun"
        )
    rank, patience = int(os.environ["RANK"]), timedelta(seconds=patience_s)
    chosen = _own_gpu() if chosen.type == "cuda" else chosen
    backend = "nccl" if chosen.type == "cuda" else "gloo"
    try:
        dist.init_process_group(backend, timeout=patience)
    except (RuntimeError, ValueError) as error:
        raise TrainingError(
            f"process {rank} of {size} cannot reach {os.environ['MASTER_ADDR']}:"
            f"{os.environ['MASTER_PORT']} ({' '.join(str(error).split())})"
        ) from error
    try:
        control = dist.new_group(backend="gloo", timeout=patience)
        world = World(device=chosen, rank=rank, size=size, patience=patience, control=control)
        yield replace(world, hosts=tuple(world.gather(socket.gethostname())))
    finally:
        dist.destroy_process_group()


def _own_gpu() -> torch.device:
    local, count = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if local >= count:
        raise SettingError(
            f"process {local} of this machine has no GPU of its own, there are {count}: lower "
            "--nproc-per-node"
        )
    torch.cuda.set_device(local)
    return torch.device("cuda", local)
