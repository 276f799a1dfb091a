"""Trackers that other programs draw curves from, beside the log that is always written."""

import secrets
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from PIL import Image

from monostep.errors import MissingExtraError
from monostep.files.atomic import write_bytes
from monostep.training.config import TrainConfig


@runtime_checkable
class Tracker(Protocol):
    """Takes numbers and pictures by step."""

    def record(self, step: int, numbers: Mapping[str, float]) -> None:
        """Numbers of a step."""
        ...

    def picture(self, step: int, path: Path) -> None:
        """A picture of a step."""
        ...

    def close(self) -> None:
        """Write what is not written yet."""
        ...


def start(config: TrainConfig, run: Path, *, step: int) -> list[Tracker]:
    """The config's trackers, from a step on.

    In TensorBoard a resumed run replaces what it repeats; Weights & Biases keeps what came first.

    Raises:
        MissingExtraError: a tracker's package is not installed.
    """
    kinds = {"tensorboard": TensorBoard, "wandb": WeightsAndBiases}
    return [kinds[name](config, run, step) for name in config.trackers]


class TensorBoard:
    """Event files in `tensorboard/` of the run."""

    def __init__(self, config: TrainConfig, run: Path, step: int) -> None:
        try:
            from torch.utils.tensorboard.writer import SummaryWriter
        except ImportError as error:
            raise MissingExtraError(
                "trackers=tensorboard needs tensorboard: pip install 'monostep[train]'"
            ) from error
        self.writer = SummaryWriter(str(run / "tensorboard"), purge_step=step + 1)
        settings = "\n".join(f"    {name}: {value}" for name, value in config.as_dict().items())
        self.writer.add_text("settings", settings, step)

    def record(self, step: int, numbers: Mapping[str, float]) -> None:
        """A scalar for each number."""
        for name, value in numbers.items():
            self.writer.add_scalar(name, value, step)

    def picture(self, step: int, path: Path) -> None:
        """The validation pictures."""
        pixels = np.asarray(Image.open(path).convert("RGB"))
        self.writer.add_image("validation", pixels, step, dataformats="HWC")

    def close(self) -> None:
        """Flush and close the file."""
        self.writer.close()


class WeightsAndBiases:
    """A run of Weights & Biases, named like the folder, which keeps its identity."""

    def __init__(self, config: TrainConfig, run: Path, step: int) -> None:  # noqa: ARG002
        try:
            wandb = import_module("wandb")
        except ImportError as error:
            raise MissingExtraError("trackers=wandb needs wandb: pip install wandb") from error
        self.module: Any = wandb
        identity = run / "wandb-id.txt"
        if not identity.exists():
            write_bytes(identity, secrets.token_hex(8).encode())
        self.run = wandb.init(
            project="monostep",
            name=run.resolve().name,
            id=identity.read_text(encoding="utf-8"),
            dir=str(run),
            config=config.as_dict(),
            resume="allow",
        )

    def record(self, step: int, numbers: Mapping[str, float]) -> None:
        """A point of each curve."""
        self.run.log(dict(numbers), step=step)

    def picture(self, step: int, path: Path) -> None:
        """The validation pictures."""
        self.run.log({"validation": self.module.Image(str(path))}, step=step)

    def close(self) -> None:
        """Send what is not sent yet."""
        self.run.finish()
