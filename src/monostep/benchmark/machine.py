"""The machine a number was measured on: without it the number says little."""

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

_CPUINFO = Path("/proc/cpuinfo")
_MEMINFO = Path("/proc/meminfo")
_PACKAGES = ("diffusers", "transformers", "numpy")
_NATIVE = {"avx512_bf16", "amx_bf16", "amx_tile", "avx512_fp16"}  # half precision in the CPU


def describe(device: torch.device, threads: int | None) -> dict[str, Any]:
    """Processor, memory, versions, and which half precisions it computes by itself."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpuinfo("model name") or platform.processor() or "unknown",
        "cores": os.cpu_count(),
        "threads": threads or torch.get_num_threads(),
        "memory_bytes": _meminfo("MemTotal"),
        "cpu_half_precision": sorted(_NATIVE & set((_cpuinfo("flags") or "").split())),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "gpu": _gpu(device),
        "python": platform.python_version(),
        "torch": torch.__version__,
        **{name: version(name) for name in _PACKAGES},
    }


def available_bytes(device: torch.device) -> int | None:
    """Memory that more processes could take; None where the system does not tell."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return _meminfo("MemAvailable")


def version(package: str) -> str | None:
    """The installed version of a package; None where there is none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _gpu(device: torch.device) -> dict[str, Any] | None:
    if device.type != "cuda":
        return None
    facts = torch.cuda.get_device_properties(device)
    return {
        "name": facts.name,
        "memory_bytes": facts.total_memory,
        "compute_capability": f"{facts.major}.{facts.minor}",
        "computes_bf16": torch.cuda.is_bf16_supported(including_emulation=False),
        "cuda": torch.version.cuda,
    }


def _cpuinfo(key: str) -> str | None:
    """The first processor's value."""
    for line in _lines(_CPUINFO):
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return None


def _meminfo(key: str) -> int | None:
    for line in _lines(_MEMINFO):
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    return None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
