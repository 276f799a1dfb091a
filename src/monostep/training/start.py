"""From a config to a running task: what learns, on what, and where results go."""

import dataclasses
import json
from pathlib import Path

import torch

from monostep.checkpoints.card import Card
from monostep.diffusion.latent_diffusion import Autoencoder, LatentDiffusion, channels_last
from monostep.errors import TrainingError
from monostep.files.atomic import read_json
from monostep.network import sizes
from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.network.autoencoder_tiny import AutoencoderTiny
from monostep.training import loop, source
from monostep.training.autoencoder import AutoencoderTask
from monostep.training.beginning import CONFIG, begin, begin_image
from monostep.training.config import TrainConfig
from monostep.training.consistency_task import begin_distillation, consistency_task
from monostep.training.diffusion_config import ConsistencyConfig, DiffusionConfig, LatentConfig
from monostep.training.diffusion_task import diffusion_task
from monostep.training.distil import CodecTask, StudentTask
from monostep.training.distil_config import CodecConfig, StudentConfig
from monostep.training.fitting import fit
from monostep.training.geometry_config import GeometryConfig, GeometryDiffusionConfig
from monostep.training.geometry_diffusion_task import GeometryDiffusionTask
from monostep.training.geometry_task import GeometryTask
from monostep.training.image_config import ImageConfig
from monostep.training.image_task import ImageTask
from monostep.training.joint_beginning import begin_joint
from monostep.training.keeping import RESULT, AutoencoderKeeper, BaseKeeper, ModelKeeper
from monostep.training.latent_task import latent_task
from monostep.training.loop import Keeper
from monostep.training.state import Progress
from monostep.training.step import DepthTask, NormalsTask
from monostep.training.student import card_of, new_student, started_student
from monostep.training.task import Task
from monostep.training.teacher import open_teacher
from monostep.training.truth_config import TruthConfig
from monostep.training.world import World, joined


def train(config: TrainConfig, run: Path, *, resume: bool = False) -> Progress:
    """Train to the end; the best model so far is always in `run/model`.

    Under `torchrun` every process calls it, and each does its share.

    Raises:
        TrainingError: the folder holds a run and `resume` is not asked, or another run, or the
            run cannot go on.
        SettingError, CheckpointError, InputError: what the config names does not fit or exist.
    """
    with joined(config.device, config.patience_s) as world:
        _check_folder(config, run, resume=resume)
        world.meet("before the run's folder is written")
        source.training(config)  # data that is not there shows before models are read
        # The networks' initial weights are a function of the config's seed, and of nothing else.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            task, keep = _task(config, run, world)
        try:
            return loop.run(task, config, run, keep, world)
        except torch.OutOfMemoryError as error:
            raise TrainingError(
                f"{world.device} is out of memory with micro-batches of {config.phases[-1][3]} "
                "images; try --preset, recompute=all, frozen_precision=bf16, or smaller phases "
                "with more to accumulate"
            ) from error


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
FREE = (
    "stop",
    "result",
    "workers",
    "cache",
    "device",
    "log_every",
    "checkpoint_every",
    "keep",
    "pictures",
    "trackers",
    "patience_s",
    "overfit",
    "shard",
    "skips",
)


def _same(stored: dict, config: TrainConfig, run: Path) -> None:
    current = _plain(config.as_dict())
    stored = {**_plain(_defaults(config)), **stored}  # of settings newer than the run
    names = current.keys() | stored.keys()
    other = sorted(n for n in names - set(FREE) if stored.get(n) != current.get(n))
    if other:
        changes = ", ".join(f"{n} {stored.get(n)} -> {current.get(n)}" for n in other)
        raise TrainingError(
            f"{run} was started with other settings ({changes}); resume with the same"
        )


def _plain(settings: dict) -> dict:
    """As they are stored: tuples are lists."""
    return json.loads(json.dumps(settings))


def _defaults(config: TrainConfig) -> dict:
    fields = dataclasses.fields(config)
    return {f.name: f.default for f in fields if f.default is not dataclasses.MISSING}


def _task(config: TrainConfig, run: Path, world: World) -> tuple[Task, Keeper]:
    """The task on its device, made as the config wants it, and what keeps its result."""
    match config:
        case TruthConfig(task="autoencoder"):
            autoencoder = channels_last(_new_autoencoder(config).to(world.device))
            keep = AutoencoderKeeper(autoencoder=autoencoder, run=run, world=world)
            return AutoencoderTask(autoencoder, config), keep
        case ImageConfig():
            base = channels_last(begin_image(config).to(world.device))
            task = ImageTask(base, config)
            fit(task, base, config)
            return task, BaseKeeper(model=base, run=run, world=world)
        case TruthConfig():
            task, card = _truth_task(config, world)
        case CodecConfig() | StudentConfig():
            task, card = _distillation(config, world)
        case _:
            raise AssertionError(f"no task for a {type(config).__name__}")
    model = task.model
    assert isinstance(model, LatentDiffusion)
    frozen = fit(task, model, config)
    keep = ModelKeeper(model=model, card=card, run=run, world=world, frozen=frozen)
    return task, keep


def _truth_task(config: TruthConfig, world: World) -> tuple[Task, Card]:
    if isinstance(config, GeometryConfig):
        return _joint_task(config, world)
    if isinstance(config, ConsistencyConfig):
        beginning, teacher = begin_distillation(config)
        channels_last(teacher.network.to(world.device))
        channels_last(beginning.model.to(world.device))
        return consistency_task(beginning, teacher, config), beginning.card
    beginning = begin(config)
    channels_last(beginning.model.to(world.device))
    task: Task
    match config:
        case DiffusionConfig():
            task = diffusion_task(beginning, config)
        case LatentConfig():
            task = latent_task(beginning, config)
        case TruthConfig(task="depth"):
            task = DepthTask(beginning.model, config)
        case _:
            task = NormalsTask(beginning.model, config, frame=beginning.card.frame)
    return task, beginning.card


def _joint_task(config: GeometryConfig, world: World) -> tuple[Task, Card]:
    joint = begin_joint(config)
    card, model = joint.card, channels_last(joint.model.to(world.device))
    frame = card.frame or config.frame
    if isinstance(config, GeometryDiffusionConfig):
        return GeometryDiffusionTask(model, config, frame=frame), card
    return GeometryTask(model, config, frame=frame), card


def _distillation(config: CodecConfig | StudentConfig, world: World) -> tuple[Task, Card]:
    teacher = open_teacher(config.teacher_name)
    channels_last(teacher.network.to(world.device))
    if isinstance(config, CodecConfig):
        student = channels_last(new_student(config, teacher).to(world.device))
        task = CodecTask(student, teacher, config)
    else:
        student = started_student(config, teacher, result=RESULT)
        student = channels_last(student.to(world.device))
        task = StudentTask(student, teacher, config)
    return task, card_of(config, teacher, student)


def _new_autoencoder(config: TruthConfig) -> Autoencoder:
    networks = sizes.NETWORKS[config.size]
    if config.family == "kl":
        return AutoencoderKL(networks.kl)
    return AutoencoderTiny(networks.tiny)
