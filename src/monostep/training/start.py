"""From a config to a running task: initial networks, where results go, what the card will say."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import torch

from monostep.checkpoints import embedded, folder
from monostep.checkpoints.card import Card
from monostep.device import choose_device
from monostep.diffusion.latent_diffusion import Autoencoder, LatentDiffusion, channels_last
from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.errors import SettingError, TrainingError
from monostep.files.atomic import read_json, write_json
from monostep.network import sizes
from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.network.autoencoder_tiny import AutoencoderTiny
from monostep.network.unet import UNet
from monostep.training import loop, source, state
from monostep.training.autoencoder import AutoencoderTask
from monostep.training.config import TrainConfig
from monostep.training.distil import CodecTask, StudentTask
from monostep.training.distil_config import CodecConfig, StudentConfig
from monostep.training.state import Progress
from monostep.training.step import NORMALS_FRAME, DepthTask, NormalsTask
from monostep.training.student import card_of, new_student, started_student
from monostep.training.teacher import open_teacher
from monostep.training.truth_config import TruthConfig

CONFIG, RESULT = "config.json", "model"


def train(config: TrainConfig, run: Path, *, resume: bool = False) -> Progress:
    """Train to the end; the best model so far is always in `run/model`.

    Raises TrainingError if the folder holds a run and `resume` is not asked, or another run.
    """
    _check_folder(config, run, resume=resume)
    device = choose_device(config.device)
    source.training(config)  # a folder without photographs shows before models are read
    # The networks' initial weights are a function of the config's seed, and of nothing else.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        task, keep = _task(config, run, device)
    # Only now: a start that failed leaves no run behind.
    write_json(run / CONFIG, config.as_dict())
    return loop.run(task, config, run, keep)


def _check_folder(config: TrainConfig, run: Path, *, resume: bool) -> None:
    path = run / CONFIG
    if path.exists() and not resume:
        raise TrainingError(
            f"{run} already holds a run: continue it with --resume, or choose another folder"
        )
    if path.exists():
        _same(read_json(path), config, run)
    elif resume:
        raise TrainingError(f"{run} holds no run to resume: leave --resume out to start one")


# What may differ between the parts of one run: on one kind of device it changes nothing learned.
FREE = ("stop", "workers", "cache", "device", "log_every", "checkpoint_every")


def _same(stored: dict, config: TrainConfig, run: Path) -> None:
    current = json.loads(json.dumps(config.as_dict()))  # as it was stored: tuples are lists
    names = current.keys() | stored.keys()
    other = sorted(n for n in names - set(FREE) if stored.get(n) != current.get(n))
    if other:
        changes = ", ".join(f"{n} {stored.get(n)} -> {current.get(n)}" for n in other)
        raise TrainingError(
            f"{run} was started with other settings ({changes}); resume with the same"
        )


def _task(config: TrainConfig, run: Path, device: torch.device) -> tuple[loop.Task, loop.Keeper]:
    match config:
        case TruthConfig(task="autoencoder"):
            autoencoder = channels_last(_new_autoencoder(config).to(device))
            return AutoencoderTask(autoencoder, config), _autoencoder_keeper(autoencoder, run)
        case TruthConfig():
            model = channels_last(new_model(config).to(device))
            task = (DepthTask if config.task == "depth" else NormalsTask)(model, config)
            return task, _model_keeper(model, _card(config), run, metric=task.metric)
        case CodecConfig() | StudentConfig():
            return _distillation(config, run, device)
    raise AssertionError(f"no task for a {type(config).__name__}")


def _distillation(
    config: CodecConfig | StudentConfig, run: Path, device: torch.device
) -> tuple[loop.Task, loop.Keeper]:
    teacher = open_teacher(config.teacher_name)
    channels_last(teacher.network.to(device))
    if isinstance(config, CodecConfig):
        student = channels_last(new_student(config, teacher).to(device))
        task = CodecTask(student, teacher, config)
    else:
        student = started_student(config, teacher, result=RESULT)
        student = channels_last(student.to(device))
        task = StudentTask(student, teacher, config)
    card = card_of(config, teacher, student)
    return task, _model_keeper(student, card, run, metric=task.metric)


def _new_autoencoder(config: TruthConfig) -> Autoencoder:
    if config.family == "kl":
        return AutoencoderKL(sizes.NANO_AUTOENCODER_KL)
    return AutoencoderTiny(sizes.NANO_AUTOENCODER)


def new_model(config: TruthConfig) -> LatentDiffusion:
    """The UNet to start from, around the frozen autoencoder that the config names."""
    unet, prompt = _first_unet(config)
    autoencoder = folder.load_autoencoder(embedded.locate(config.autoencoder))
    if autoencoder.config.latent_channels * 2 != unet.config.in_channels:
        raise SettingError(
            f"autoencoder {config.autoencoder}: {autoencoder.config.latent_channels} latent "
            f"channels, the UNet expects {unet.config.in_channels // 2}"
        )
    return LatentDiffusion(
        unet=unet,
        autoencoder=autoencoder,
        prompt=prompt,
        schedule=Schedule(alpha_bar=scaled_linear(), target="velocity"),
    )


def _first_unet(config: TruthConfig) -> tuple[UNet, torch.Tensor]:
    if config.start is None:
        return UNet(sizes.NANO_UNET), torch.randn(2, sizes.NANO_UNET.context)
    place = embedded.locate(config.start)
    model, _ = folder.load(place / RESULT if (place / RESULT).is_dir() else place)
    if (place / loop.STATE).exists():
        state.load_weights(place / loop.STATE, model.unet)
    return model.unet.train(), model.prompt


def _autoencoder_keeper(autoencoder: Autoencoder, run: Path) -> loop.Keeper:
    def keep(*, step: int, score: float) -> None:
        folder.save_autoencoder(autoencoder, run / RESULT, dtype=torch.float32)
        write_json(run / RESULT / "scores.json", {"step": step, "mean_absolute_error": score})

    return keep


def _model_keeper(model: LatentDiffusion, card: Card, run: Path, *, metric: str) -> loop.Keeper:
    def keep(*, step: int, score: float) -> None:
        scores = {"validation": {metric: score, "step": step}}
        folder.save(model, dataclasses.replace(card, scores=scores), run / RESULT)

    return keep


def _card(config: TruthConfig) -> Card:
    _, height, width, _ = config.phases[-1]
    specific: dict[str, Callable[..., Card]] = {
        "depth": lambda **common: Card(
            task="depth", quantity="depth", invariance="affine", **common
        ),
        "normals": lambda **common: Card(task="normals", frame=NORMALS_FRAME, **common),
    }
    return specific[config.task](
        name=config.recipe, resolution=max(height, width), recipe=config.as_dict()
    )
