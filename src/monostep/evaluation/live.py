"""A model that takes part in an evaluation."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import torch

from monostep.errors import CheckpointError, InputError, SettingError
from monostep.evaluation.case import Case
from monostep.evaluation.judge import Prediction
from monostep.evaluation.rules import BY_IMAGE, Input, Task, tasks_of
from monostep.geometry.depth import Depth, Invariance
from monostep.geometry.geometry import Geometry
from monostep.geometry.normals import Normals
from monostep.inference import Inference
from monostep.predictor import AT_ONCE, Predictor
from monostep.results import Result, attention, map_of, prompt
from monostep.runner.batch import is_memory

Kind = TypeVar("Kind", bound=Depth | Normals)

_TOO_LARGE = "not enough memory for this image alone; try a smaller --resolution"


class LiveModel:
    """A model with its settings on one benchmark; a joint model's results are judged in each task.

    Raises:
        SettingError: a setting that the model does not have.
    """

    def __init__(
        self,
        predictor: Predictor,
        shown: Input,
        asked: Mapping[str, Any],
        *,
        tasks: Sequence[Task] = (),
        batch_size: int = 0,
    ) -> None:
        """Settle how the model is run: as asked, else as the benchmark shows images, else its card.

        Args:
            predictor: the model.
            shown: what the rules say of its input.
            asked: keywords of `Predictor.inference`; None or absent for what was not asked.
            tasks: what of its results is judged; empty: all that it predicts.
            batch_size: images that go through it together; 0: by the device.
        """
        self.predictor = predictor
        self.tasks: tuple[Task, ...] = tuple(tasks or tasks_of(predictor.card.maps))
        wanted = {name: value for name, value in asked.items() if value is not None}
        ruled: dict[str, Any] = {"resolution": shown.resolution, "fit": shown.fit}
        is_told = predictor.card.domain is not None and "domain" not in wanted
        self._is_told_by_image = is_told and shown.domain == BY_IMAGE
        if is_told and not self._is_told_by_image:
            ruled["domain"] = shown.domain
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
    def invariance(self) -> Invariance | None:
        """How far its depth is known; None where it predicts normals alone."""
        return self.predictor.card.invariance  # pyright: ignore[reportReturnType]

    def about(self) -> Mapping[str, Any]:
        """All that decides its maps: weights, settings, precision."""
        card = self.predictor.card
        facts = {"quantity": card.quantity, "invariance": card.invariance}
        told = {"domain": BY_IMAGE} if self._is_told_by_image else {}
        return {
            "model": card.name,
            "weights_sha256": card.tensor_hash,
            "source": dict(card.source),
            "settings": {
                "inference": {**self.inference.as_dict(), **told},
                "dtype": str(self.predictor.dtype).removeprefix("torch."),
                "device": self.predictor.device.type,
                "batch_size": self.at_once,
                **prompt(card, self.predictor.network.prompt_tokens),
                **attention(card),
                **(facts if "depth" in card.maps else {}),
            },
        }

    def predict(self, cases: Sequence[Case]) -> list[Result | str]:
        """The result of each case's image, on the CPU; or why there is none.

        An image that fails alone does not take the others along.
        """
        try:
            return [_on_cpu(result) for result in self._predicted(cases)]
        except (InputError, CheckpointError) as error:
            reason = str(error)
        except (MemoryError, RuntimeError) as error:
            if not is_memory(error):
                raise
            reason = _TOO_LARGE
        # Only here, without the error and the tensors that its traceback holds, can memory be had.
        if self.predictor.device.type == "cuda":
            torch.cuda.empty_cache()
        return [reason] if len(cases) == 1 else [self.predict([case])[0] for case in cases]

    def _predicted(self, cases: Sequence[Case]) -> list[Result]:
        """In their order, where the model is told a domain by images of equal domain."""
        groups: dict[Inference, list[int]] = defaultdict(list)
        for place, case in enumerate(cases):
            groups[self._inference(case)].append(place)
        found: dict[int, Result] = {}
        for inference, places in groups.items():
            images = [image for place in places if (image := cases[place].image) is not None]
            results = self.predictor.predict(images, inference, at_once=self.at_once)
            found.update(zip(places, results, strict=True))
        return [found[place] for place in range(len(cases))]

    def _inference(self, case: Case) -> Inference:
        if not self._is_told_by_image or case.domain is None:
            return self.inference
        return replace(self.inference, domain=case.domain)


def as_prediction(result: Result, task: Task) -> Prediction:
    """What the judge of a task needs of a result."""
    known = map_of(result, task)
    if isinstance(known, Depth):
        return Prediction(values=known.tensor, quantity=known.quantity)
    return Prediction(values=known.to("opencv").tensor)


def _on_cpu(result: Result) -> Result:
    """The result in float32, without the device's memory."""
    if isinstance(result, Geometry):
        return Geometry(depth=_map_on_cpu(result.depth), normals=_map_on_cpu(result.normals))
    return _map_on_cpu(result)


def _map_on_cpu(values: Kind) -> Kind:
    tensor = values.tensor.float().cpu()
    return replace(values, tensor=tensor, uncertainty=None)
