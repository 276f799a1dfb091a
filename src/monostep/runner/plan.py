"""What a run makes of every image: which files, and what decides their values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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
    """The settings, and by task how the models run and all that decides the values."""

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
    inferences = {task: _inference(model, settings) for task, model in predictors.items()}
    made_by = {
        task: _made_by(model, inferences[task], settings) for task, model in predictors.items()
    }
    return Plan(settings=settings, inferences=inferences, made_by=made_by)


def _inference(model: Predictor, settings: Settings) -> Inference:
    try:
        return model.inference(**settings.asked)
    except SettingError as error:
        raise SettingError(f"{model.card.name}: {error}") from error


def _made_by(model: Predictor, inference: Inference, settings: Settings) -> dict[str, Any]:
    """All that decides the values besides the image; a second run compares it."""
    card = model.card
    values = {
        "model": card.name,
        "weights_sha256": card.tensor_hash,
        "source": dict(card.source),
        "prompt_tokens": model.network.prompt_tokens,
        "dtype": str(model.dtype).removeprefix("torch."),
        **asdict(inference),
        **({"frame": settings.frame} if card.task == "normals" else {}),
    }
    plain = from_json(to_json(values), where="settings")  # as a record gives them back
    return {name: plain[name] for name in values}
