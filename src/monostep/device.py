"""Where and in which precision a network runs."""

import torch

from monostep.errors import SettingError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


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


def choose_dtype(name: str) -> torch.dtype:
    """The precision of a name, "auto" for float32; SettingError for an unknown one."""
    if name == "auto":
        return torch.float32
    if name not in DTYPES:
        raise SettingError(f"dtype {name!r}: choose auto, {', '.join(DTYPES)}")
    return DTYPES[name]
