"""What a run makes of every image: which files, and what decides their values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monostep import inference as choices
from monostep import results
from monostep.errors import SettingError
from monostep.files.metadata import from_json, to_json
from monostep.inference import Inference
from monostep.predictor import Predictor
from monostep.runner import naming
from monostep.runner.inputs import Job
from monostep.runner.naming import Part
from monostep.runner.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The settings, and by task how the models run and all that decides the values.

    A joint model stands behind both tasks, or behind the one of its maps that is asked for.
    """

    settings: Settings
    inferences: Mapping[str, Inference]
    made_by: Mapping[str, Mapping[str, Any]]

    def folder(self, job: Job) -> Path:
        """The folder of the job's results."""
        return (self.settings.output / job.stem).parent

    def record(self, job: Job) -> Path:
        """The file of the job's record."""
        return self.settings.output / naming.record(job.stem)

    def parts(self, job: Job, task: str) -> list[Part]:
        """The files that a task's result becomes."""
        uncertain = self.inferences[task].ensemble > 1
        stem = Path(job.stem).name
        return naming.parts(stem, task, self.settings.formats, uncertain=uncertain)


def plan(predictors: Mapping[str, Predictor], settings: Settings) -> Plan:
    """What these models make of every image under these settings.

    Raises:
        SettingError: something was asked that a model does not have.
    """
    inferences = {
        task: _inference(
            model, settings, [kind for kind in predictors if predictors[kind] is model]
        )
        for task, model in predictors.items()
    }
    made_by = {
        task: {
            **_made_by(model, inferences[task].of_map(task)),
            **({"frame": settings.frame} if task == "normals" else {}),
        }
        for task, model in predictors.items()
    }
    return Plan(settings=settings, inferences=inferences, made_by=made_by)


def _inference(model: Predictor, settings: Settings, kinds: Sequence[str]) -> Inference:
    try:
        chosen = model.inference(**settings.asked)
        choices.check_merge(settings.asked.get("merge"), model.card, kinds)
        return chosen
    except SettingError as error:
        raise SettingError(f"{model.card.name}: {error}") from error


def _made_by(model: Predictor, inference: Inference) -> dict[str, Any]:
    """All that decides the values besides the image; a second run compares it."""
    card = model.card
    values = {
        "model": card.name,
        "weights_sha256": card.tensor_hash,
        "source": dict(card.source),
        **results.prompt(card, model.network.prompt_tokens),
        "dtype": str(model.dtype).removeprefix("torch."),
        **inference.as_dict(),
        **results.attention(card),
    }
    plain = from_json(to_json(values), where="settings")  # as a record gives them back
    return {name: plain[name] for name in values}
