"""What a run of the predictor over many files may be told."""

from dataclasses import dataclass
from pathlib import Path

from monostep.errors import SettingError
from monostep.files import maps
from monostep.geometry.frames import Frame

ENDINGS = (".npy", ".png")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where results go and what they are; everything else the models' cards say.

    `resolution` is the long side in pixels at which the networks look, 0 the image's own, None the
    card's; `batch_size` counts images, 0 chooses by the device.
    """

    output: Path
    endings: tuple[str, ...] = ENDINGS
    frame: Frame = "opencv"
    resolution: int | None = None
    batch_size: int = 0
    overwrite: bool = False


def endings(text: str) -> tuple[str, ...]:
    """The file endings that a list such as "npy,png" asks for, each once, in its order.

    Raises:
        SettingError: nothing, or a format that maps are not written in.
    """
    words = [word.strip().lower().removeprefix(".") for word in text.split(",")]
    chosen = tuple(dict.fromkeys(f".{word}" for word in words if word))
    unknown = [ending for ending in chosen if ending not in maps.ENDINGS]
    if unknown or not chosen:
        known = ", ".join(ending.removeprefix(".") for ending in maps.ENDINGS)
        raise SettingError(f"format {text!r}: choose one or more of {known}, with commas between")
    return chosen
