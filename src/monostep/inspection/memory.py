"""The most memory that a piece of work took, where the system tells."""

import sys
from pathlib import Path

import torch

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def start(device: torch.device) -> None:
    """Begin to measure."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif sys.platform == "linux":
        try:
            _RESET.write_text("5", encoding="ascii")  # resets the peak of resident memory
        except OSError:
            return


def peak_bytes(device: torch.device) -> int | None:
    """The most since `start`: allocated on a GPU, resident on Linux; None elsewhere."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform != "linux":
        return None
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None
