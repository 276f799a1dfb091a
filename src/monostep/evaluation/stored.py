"""What another program predicted, as a contender."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.judge import Prediction
from monostep.evaluation.predictions.folder import PredictionFolder
from monostep.evaluation.rules import Task
from monostep.geometry.depth import Invariance


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredPredictions:
    """A folder of predictions under a name of its own; picklable, holds no open file."""

    name: str
    folder: PredictionFolder

    def on(self, benchmark: Benchmark) -> "StoredPredictions":
        """The same, as predictions of the benchmark's images.

        Raises:
            InputError: not one image has a prediction.
            SettingError: normals of an unknown frame.
        """
        among = self.folder.among(benchmark.names, benchmark.name)
        return StoredPredictions(name=self.name, folder=among)

    @property
    def task(self) -> Task:
        """What was predicted."""
        return self.folder.task

    @property
    def invariance(self) -> Invariance | None:
        """How far its depth is known; None of normals."""
        return self.folder.meaning.invariance

    def read(self, name: str, size: tuple[int, int]) -> Prediction:
        """The prediction of an image of this (height, width).

        Raises:
            InputError: it is missing, damaged or of another size.
        """
        values = self.folder.read(name, size)
        if self.task == "normals":
            return Prediction(values=values)
        return Prediction(values=values, quantity=self.folder.quantity)

    def about(self) -> Mapping[str, Any]:
        """What the numbers are, as declared or as the files say."""
        return {"predictions": self.name, "settings": dict(self.folder.about())}

    def state(self) -> str:
        """A hash that changes when a file of the folder comes, goes or is written again."""
        return self.folder.state()
