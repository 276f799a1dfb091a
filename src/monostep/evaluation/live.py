"""A model that takes part in an evaluation."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import torch
from torch import Tensor

from monostep.errors import CheckpointError, InputError, SettingError
from monostep.evaluation.judge import Prediction
from monostep.evaluation.rules import Input, Task
from monostep.geometry.depth import Depth, Invariance
from monostep.predictor import AT_ONCE, Predictor
from monostep.results import Result
from monostep.runner.batch import is_memory

_TOO_LARGE = "not enough memory for this image alone; try a smaller --resolution"


class LiveModel:
    """A model with its settings on one benchmark.

    Raises:
        SettingError: a setting that the model does not have.
    """

    def __init__(
        self,
        predictor: Predictor,
        shown: Input,
        asked: Mapping[str, Any],
        *,
        batch_size: int = 0,
    ) -> None:
        """Settle how the model is run: as asked, else as the benchmark shows images, else its card.

        Args:
            predictor: the model.
            shown: what the rules say of its input.
            asked: keywords of `Predictor.inference`; None or absent for what was not asked.
            batch_size: images that go through it together; 0: by the device.
        """
        self.predictor = predictor
        wanted = {name: value for name, value in asked.items() if value is not None}
        ruled = {"resolution": shown.resolution, "fit": shown.fit}
        try:
            self.inference = predictor.inference(**(ruled | wanted))
        except SettingError as error:
            raise SettingError(f"{predictor.card.name}: {error}") from error
        ensemble = self.inference.ensemble > 1
        self.at_once = 1 if ensemble else batch_size or AT_ONCE.get(self.predictor.device.type, 1)

    @property
    def name(self) -> str:
        """The card's."""
        return self.predictor.card.name

    @property
    def task(self) -> Task:
        """What it predicts."""
        return self.predictor.card.task

    @property
    def invariance(self) -> Invariance | None:
        """How far its depth is known; None of normals."""
        return self.predictor.card.invariance  # pyright: ignore[reportReturnType]

    def about(self) -> Mapping[str, Any]:
        """All that decides its maps: weights, settings, precision."""
        card = self.predictor.card
        facts = {"quantity": card.quantity, "invariance": card.invariance}
        return {
            "model": card.name,
            "weights_sha256": card.tensor_hash,
            "source": dict(card.source),
            "settings": {
                "inference": asdict(self.inference),
                "dtype": str(self.predictor.dtype).removeprefix("torch."),
                "device": self.predictor.device.type,
                "batch_size": self.at_once,
                "prompt_tokens": self.predictor.network.prompt_tokens,
                **(facts if card.task == "depth" else {}),
            },
        }

    def predict(self, images: Sequence[Tensor]) -> list[Result | str]:
        """The result of each image [3, height, width], on the CPU; or why there is none.

        An image that fails alone does not take the others along.
        """
        try:
            results = self.predictor.predict(images, self.inference, at_once=self.at_once)
            return [_on_cpu(result) for result in results]
        except (InputError, CheckpointError) as error:
            reason = str(error)
        except (MemoryError, RuntimeError) as error:
            if not is_memory(error):
                raise
            reason = _TOO_LARGE
        # Only here, without the error and the tensors that its traceback holds, can memory be had.
        if self.predictor.device.type == "cuda":
            torch.cuda.empty_cache()
        return [reason] if len(images) == 1 else [self.predict([image])[0] for image in images]


def as_prediction(result: Result) -> Prediction:
    """What the judge needs of a result."""
    if isinstance(result, Depth):
        return Prediction(values=result.tensor, quantity=result.quantity)
    return Prediction(values=result.to("opencv").tensor)


def _on_cpu(result: Result) -> Result:
    """The result in float32, without the device's memory."""
    return replace(result, tensor=result.tensor.float().cpu(), uncertainty=None)
