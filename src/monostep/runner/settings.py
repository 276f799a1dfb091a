"""What a run of the predictor over many files may be told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monostep.errors import SettingError
from monostep.geometry.frames import Frame

FORMATS = ("npy", "npz", "png", "exr", "exr-half", "tiff", "tif")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where results go and what they are.

    `asked` are keywords of `Predictor.inference`, None or absent for what the models' cards say;
    `batch_size` counts images (times members of an ensemble) at once, 0 chooses by the device.
    """

    output: Path
    formats: tuple[str, ...] = ("npy", "png")
    frame: Frame = "opencv"
    asked: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int = 0
    overwrite: bool = False


def formats(text: str) -> tuple[str, ...]:
    """The formats that a list such as "npy,png" asks for, each once, in its order.

    Raises:
        SettingError: nothing, an unknown format, or two that would share a file.
    """
    words = [word.strip().lower().removeprefix(".") for word in text.split(",")]
    chosen = tuple(dict.fromkeys(word for word in words if word))
    if not chosen or not set(chosen) <= set(FORMATS):
        known = ", ".join(FORMATS)
        raise SettingError(f"format {text!r}: choose one or more of {known}, with commas between")
    if {"exr", "exr-half"} <= set(chosen):
        raise SettingError(f"format {text!r}: exr and exr-half share a name; choose one of them")
    return chosen
