"""The loop: data, gradient, step; validation and states on the way."""

import math
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from monostep.errors import TrainingError
from monostep.files.atomic import write_json
from monostep.training import feeding, leaving, order, parallel, preflight, state, validation
from monostep.training.average import Average
from monostep.training.beginning import CONFIG
from monostep.training.config import TrainConfig
from monostep.training.journal import Journal
from monostep.training.learning import Learning
from monostep.training.leaving import Leave
from monostep.training.optimiser import class_weights, new_optimiser
from monostep.training.precision import loss_scaler
from monostep.training.state import Progress
from monostep.training.task import Task, carried
from monostep.training.update import Taken, Updater
from monostep.training.world import World

LOG, PICTURES = "log.jsonl", "pictures"


@runtime_checkable
class Keeper(Protocol):
    """Stores the model as the run's result."""

    def __call__(self, *, step: int, scores: Mapping[str, float]) -> None:
        """Keep the model as it is now: it is the best so far. All processes call it."""
        ...


def run(task: Task, config: TrainConfig, folder: Path, keep: Keeper, world: World) -> Progress:
    """Train to the last step, from the newest whole state in `folder` if there is one.

    Writes `states/`, `log.jsonl` and `pictures/`, and calls `keep` at every best validation.

    Raises:
        TrainingError: something is wrong that more steps would not mend.
    """
    data = order.Pieces(config, slices=order.pieces(config, world.size))
    with world.together("for the first look"):
        notes = _look(task, config, folder, data, world)
    if world.leads:  # only now: a start that failed leaves no run behind
        write_json(folder / CONFIG, config.as_dict())
    loss = parallel.spread(task, config, world)
    optimiser = new_optimiser(
        task.trained.parameters(), config, of_class=class_weights(task.trained)
    )
    average = Average(task.trained, config.average) if config.average else None
    others = {**carried(task), **({} if average is None else {"average": average})}
    learning = Learning(trained=task.trained, optimiser=optimiser, others=others)
    progress, passed_over = state.restore(folder, learning, world)
    progress = progress or Progress(step=0, best=None)
    scaler = loss_scaler(config.precision, world.device)
    if progress.scaler:  # there is none before the first state, and none but in fp16
        scaler.load_state_dict(progress.scaler)
    journal = Journal(folder / LOG, config, start=progress.step, silent=not world.leads)
    with journal, leaving.on_request() as leave:
        for line in (*passed_over, *notes):
            journal.say(line)
        loop = _Loop(
            task=task,
            config=config,
            folder=folder,
            keep=keep,
            world=world,
            learning=learning,
            updater=Updater(
                loss=loss, optimiser=optimiser, scaler=scaler, config=config, world=world
            ),
            average=average,
            journal=journal,
            data=data,
        )
        return loop.run(progress, leave)


def _look(
    task: Task, config: TrainConfig, folder: Path, data: order.Pieces, world: World
) -> list[str]:
    """The preflight; returns what there is to say about the run."""
    preflight.check_weights(task)
    preflight.check_disk(task, config, folder)
    batch = data.piece(world.rank).to(world.device)
    preflight.check_gradient(task, config, batch)
    lines = preflight.plan(config, data.sources)
    if config.overfit:
        first, last = preflight.overfit(task, config, batch)
        lines.append(f"one batch: loss {first:.3g} to {last:.3g} in {config.overfit} steps")
    return lines


@dataclass(frozen=True, kw_only=True)
class _Loop:
    task: Task
    config: TrainConfig
    folder: Path
    keep: Keeper
    world: World
    learning: Learning
    updater: Updater
    average: Average | None
    journal: Journal
    data: order.Pieces

    def run(self, progress: Progress, leave: Leave) -> Progress:
        if progress.step == 0 and getattr(self.config, "start", None) is not None:
            progress = self._validate(progress)  # what does not become better stays as it is
        steps = feeding.steps(self.data, self.world, first=progress.step)
        while progress.step < self.config.last:
            taken = self.updater.take(progress.step, next(steps), leave=leave)
            # Validation and saving need the gradients' memory, and nobody needs the gradients.
            self.learning.optimiser.zero_grad(set_to_none=True)
            progress = self._after(taken, progress)
            if taken.leave and progress.step < self.config.last:
                leave.asked = True  # on every process, whichever of them was asked
                self.journal.say(f"asked to end: step {progress.step} is saved; --resume goes on")
                break
        return progress

    def _after(self, taken: Taken, progress: Progress) -> Progress:
        """Everything that is due after a step."""
        config, done = self.config, progress.step + 1
        progress = replace(progress, step=done)
        if taken.names:
            progress = self._skipped(taken, progress)
        elif self.average is not None:
            self.average.update(progress.step - 1)
        last = done == config.last
        self.journal.advance(images=config.accumulate * config.phase(done - 1)[3])
        if done % config.log_every == 0 or last:
            self.journal.record(
                step=done,
                loss=taken.loss,
                gradient_norm=taken.norm,
                rate=taken.rate,
                images_per_second=self.journal.images_per_second,
            )
        due = done % config.validate_every == 0 or done == config.steps
        wanting = progress.best is None or config.result == "last"
        if due or (last and wanting):  # a run that stops early has a result, too
            progress = self._validate(progress)
        if done % config.checkpoint_every == 0 or last or taken.leave:
            self._save(progress)
        return progress

    def _skipped(self, taken: Taken, progress: Progress) -> Progress:
        """Count a step that changed nothing; too many end the run."""
        progress = replace(progress, skipped=progress.skipped + 1)
        what = (
            f"step {progress.step}: loss {taken.loss}, gradient norm {taken.norm}; nothing was "
            f"changed by it. Images: {', '.join(taken.names)}"
        )
        if progress.skipped > self.config.skips:
            raise TrainingError(
                f"{what}. Skipped so far: {progress.skipped}, allowed: {self.config.skips}; look "
                "at these images, try a lower learning_rate or precision=fp32, or raise skips"
            )
        self.journal.record(step=progress.step, skipped=progress.skipped, images=taken.names)
        return progress

    def _validate(self, progress: Progress) -> Progress:
        averaged = nullcontext() if self.average is None else self.average.swap()
        with parallel.measuring(self.task.trained), averaged:
            scores = validation.scores(self.task, self.config, self.world)
            score = scores[self.task.metric]
            if not math.isfinite(score):
                raise TrainingError(
                    f"step {progress.step}: validation {self.task.metric} is {score}; "
                    "resume from before"
                )
            parts = {name: part for name, part in scores.items() if name != self.task.metric}
            self.journal.record(
                step=progress.step, validation=score, metric=self.task.metric, **parts
            )
            if self.config.pictures:
                path = self.folder / PICTURES / f"{progress.step:08d}.png"
                validation.draw(self.task, self.config, self.world, path)
                self.journal.picture(path, step=progress.step)
            if self.config.result == "best" and not _is_better(score, progress.best):
                return progress
            self.keep(step=progress.step, scores=scores)
        return replace(progress, best=score)

    def _save(self, progress: Progress) -> None:
        progress = replace(progress, scaler=self.updater.scaler.state_dict())
        state.save(self.folder, self.learning, progress, self.world, keep=self.config.keep)


def _is_better(score: float, best: float | None) -> bool:
    return best is None or score < best
