"""Where and in which precision a network runs."""

import os

import torch

from monostep.errors import SettingError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_AMPERE = (8, 0)  # compute capability of the first GPUs with bfloat16 products


def cores() -> int:
    """CPU cores that this process may use, which containers and schedulers may limit."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS, not on Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def choose_device(name: str) -> torch.device:
    """The device of a name, "auto" for the best there is; SettingError if it cannot be used."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise SettingError(f"device {name!r} cannot be used: {reason}") from error
    return device


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """The precision of a name; SettingError for an unknown one.

    "auto" is bfloat16 where the device multiplies it natively, else float32.
    """
    if name == "auto":
        return torch.bfloat16 if has_bfloat16(device) else torch.float32
    if name not in DTYPES:
        raise SettingError(f"dtype {name!r}: choose auto, {', '.join(DTYPES)}")
    return DTYPES[name]


def has_bfloat16(device: torch.device) -> bool:
    """Tell whether the device has instructions for bfloat16: emulated, it is slower than float32.

    CUDA from Ampere on, CPUs with AVX512-BF16 or AMX.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= _AMPERE
    if device.type != "cpu":
        return False
    if hasattr(torch.cpu, "get_capabilities"):
        can = torch.cpu.get_capabilities()
        return bool(can.get("avx512_bf16") or can.get("amx_bf16"))
    older = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # before PyTorch had the other
    return older is not None and bool(older())
