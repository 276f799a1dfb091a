"""Latent consistency distillation: many steps of a stage-1 teacher become one to four.

    z_s   = one DDIM step of the teacher from z_t down to s, `skip` places below t on its grid
    loss  = huber(f(z_t, t; student) - f(z_s, s; target)),   target = average of the student

Source: Luo et al., Latent Consistency Models, algorithm 1, without guidance, as a network that is
conditioned on an image needs none; Marigold-LCM (Ke et al.).
"""

import copy
import dataclasses
from pathlib import Path

import torch
from torch import Tensor, nn

from monostep.checkpoints import opening
from monostep.diffusion import consistency, forward
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.errors import SettingError
from monostep.training.batch import Batch
from monostep.training.beginning import RESULT, Beginning
from monostep.training.diffusion_config import ConsistencyConfig
from monostep.training.diffusion_task import Sampled, said
from monostep.training.latent_task import LatentDepthTask, LatentNormalsTask
from monostep.training.target_latent import mean_of_cells
from monostep.training.task import PerImage, Task
from monostep.training.teacher import Teacher
from monostep.training.varying import varied


class Target(nn.Module):
    """The network that gives the targets: an exponential average of the one that learns.

    It and the last step that it has seen belong to the state of a run.
    """

    step: Tensor

    def __init__(self, learning: nn.Module) -> None:
        super().__init__()
        self.network = copy.deepcopy(learning).requires_grad_(False)  # noqa: FBT003
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def follow(self, learning: nn.Module, *, step: int, decay: float) -> None:
        """Take in the weights that optimiser step `step` begins with, once."""
        if step <= int(self.step):
            return
        weights = zip(self.network.parameters(), learning.parameters(), strict=True)
        for average, weight in weights:
            average.lerp_(weight, 1 - decay)
        self.step.fill_(step)


class ConsistencyLoss(Sampled):
    """Fits the ends of two latents of one of the teacher's trajectories to each other."""

    def __init__(
        self,
        model: LatentDiffusion,
        config: ConsistencyConfig,
        *,
        teacher: LatentDiffusion,
        **others: str | None,
    ) -> None:
        """Take a student that begins as the teacher, and copy it for the targets."""
        super().__init__(model, config, **others)
        self.settings = config
        self.teacher = teacher
        self.target = Target(model.unet)

    @property
    def carried(self) -> dict[str, nn.Module]:
        """The target network, which the run's state must hold."""
        return {"target": self.target}

    def loss(self, batch: Batch) -> PerImage:
        """Pseudo-Huber distance of the student's end of each trajectory from the target's."""
        self.target.follow(self.model.unet, step=batch.step, decay=self.settings.follow)
        schedule = self.model.schedule
        batch = varied(batch, self.config)
        image_latent = self.encoded(batch.samples.image * 2 - 1)
        clean, weight = self.truth(batch.samples)
        generators = [batch.generator(row) for row in range(len(batch.seeds))]
        grid = consistency.grid(schedule)
        index = torch.stack([torch.randint(len(grid), (), generator=own) for own in generators])
        noise = torch.stack([torch.randn(clean.shape[1:], generator=own) for own in generators])
        time, before = grid[index], consistency.earlier(schedule, index, self.settings.skip)
        time, before = time.to(clean.device), before.to(clean.device)
        noisy = forward.noisy(schedule, clean, noise.to(clean), time)
        goal = self._goal(image_latent, noisy, time, before)
        end = self._end(self.model.unet, image_latent, noisy, time)
        error = consistency.pseudo_huber(end - goal, self.settings.huber)
        return mean_of_cells(error, weight, pool=self.config.pool)

    @torch.no_grad()
    def _goal(self, image_latent: Tensor, noisy: Tensor, time: Tensor, before: Tensor) -> Tensor:
        schedule = self.teacher.schedule
        teacher = said(self.teacher.unet, self.teacher.prompt, image_latent, noisy, time)
        clean = schedule.clean(noisy, teacher, time)
        noise = schedule.noise(noisy, teacher, time)
        earlier = forward.noisy(schedule, clean, noise, before)
        return self._end(self.target.network, image_latent, earlier, before)

    def _end(self, unet: nn.Module, image_latent: Tensor, noisy: Tensor, time: Tensor) -> Tensor:
        schedule = self.model.schedule
        output = said(unet, self.model.prompt, image_latent, noisy, time)
        return consistency.consistent(schedule, schedule.clean(noisy, output, time), noisy, time)


class ConsistencyDepthTask(ConsistencyLoss, LatentDepthTask):
    """A consistency model of a depth teacher."""


class ConsistencyNormalsTask(ConsistencyLoss, LatentNormalsTask):
    """A consistency model of a normals teacher."""


def consistency_task(beginning: Beginning, teacher: Teacher, config: ConsistencyConfig) -> Task:
    """The task of a config."""
    if config.task == "depth":
        return ConsistencyDepthTask(beginning.model, config, teacher=teacher.network)
    return ConsistencyNormalsTask(
        beginning.model, config, teacher=teacher.network, frame=beginning.card.frame
    )


def begin_distillation(config: ConsistencyConfig) -> tuple[Beginning, Teacher]:
    """The student, which begins as the teacher, and the frozen teacher.

    Raises:
        CheckpointError: no teacher there that can be opened.
        SettingError: a teacher of another kind than the config wants, or none.
    """
    teacher = _teacher(config)
    network = teacher.network
    total = len(network.schedule.alpha_bar)
    if config.coarse > total:
        raise SettingError(f"coarse {config.coarse}: the teacher has {total} timesteps, no more")
    student = LatentDiffusion(
        unet=copy.deepcopy(network.unet),
        autoencoder=network.vae,
        prompt=network.prompt,
        schedule=dataclasses.replace(network.schedule, sampler="lcm", coarse=config.coarse),
    )
    card = dataclasses.replace(
        teacher.card,
        name=config.recipe,
        grade="user",
        **config.how,
        ensemble=1,
        source={"teacher": teacher.card.name, "teacher_hash": teacher.card.tensor_hash},
        recipe=config.as_dict(),
        scores={},
        tensor_hash=None,
    )
    return Beginning(model=student.train(), card=card), teacher


def _teacher(config: ConsistencyConfig) -> Teacher:
    name = config.teacher_name
    result = Path(name) / RESULT
    found = opening.find(str(result) if result.is_dir() else name)
    card = found.card
    wanted = {"family": "diffusion", "task": config.task}
    if config.task == "depth":
        wanted["quantity"] = config.quantity
    for key, value in wanted.items():
        if getattr(card, key) != value:
            raise SettingError(
                f"teacher {name}: its {key} is {getattr(card, key)}, {config.recipe} distils "
                f"{value}; choose a stage-1 model of {config.task}"
            )
    network = opening.load(found)
    network.requires_grad_(False)  # noqa: FBT003 - torch's own signature
    return Teacher(network=network, card=card)
