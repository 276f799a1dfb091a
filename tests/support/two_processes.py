"""Work for two processes that are joined as torchrun would join them, over gloo.

`together` starts them once for a whole list of jobs, since starting takes longer than a job. Run as
a program this file is one of the two.
"""

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

SUPPORT = Path(__file__).parent
PATIENCE_S = 4


def train_job(recipe, settings, run, *, resume=False):
    """A run by both, as the command line would start it."""
    return {
        "job": "train",
        "recipe": recipe,
        "settings": [*settings],
        "run": str(run),
        "resume": resume,
    }


def gradients_job(settings, path, *, double):
    """The gradients of a step, whole, as a file of torch."""
    return {"job": "gradients", "settings": [*settings], "run": str(path), "double": double}


def constant_job(what, run, *settings):
    """A run of `ConstantTask`, of whose data or loss something is wrong on process 1."""
    return {"job": "constant", "what": what, "settings": [*settings], "run": str(run)}


def environment(rank):
    """What torchrun would set, and one thread."""
    paths = [str(SUPPORT), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }


def free_port():
    """A port that nobody uses."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def together(folder, *jobs, timeout=300):
    """What each process says of each job: results[job][rank], an error as its class and words."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [{**job, "port": free_port()} for job in jobs]  # a port serves one group only
    (folder / "jobs.json").write_text(json.dumps(jobs))
    command = [sys.executable, str(Path(__file__)), str(folder)]
    started = [subprocess.Popen(command, env=environment(rank)) for rank in range(2)]
    try:
        for process in started:
            process.wait(timeout=timeout)
    finally:
        for process in started:
            process.kill()
    said = [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]
    return list(zip(*said, strict=True))


def _train(job):
    from monostep.recipes import recipe
    from monostep.training.overriding import override
    from monostep.training.start import train

    config = override(recipe(job["recipe"]), job["settings"])
    return train(config, Path(job["run"]), resume=job["resume"]).step


def _constant(job):
    from unittest.mock import patch

    from constant_task import ConstantTask
    from numbered import Numbered, config

    from monostep.training import loop, validation
    from monostep.training.world import joined

    settings = config("phases=[[0,2,2,4]]", "steps=4", "pictures=0", *job["settings"])
    with joined("cpu", PATIENCE_S) as world:
        task = ConstantTask(wrong=job["what"] if world.rank == 1 else None)
        with (
            task.at_fault(),
            patch.object(validation.source, "validation", lambda _: [Numbered(2)]),
        ):
            done = loop.run(task, settings, Path(job["run"]), lambda **_: None, world)
    return {"step": done.step, "skipped": done.skipped, "weight": task.trained.weight.item()}


def _exchange(job):  # noqa: ARG001
    from monostep.errors import InputError
    from monostep.training.world import joined

    with joined("cpu", PATIENCE_S) as world:
        said = {"total": world.total(world.rank + 1, 0.5), "gather": world.gather(world.rank)}
        said["hosts"] = len(world.hosts)
        try:
            with world.together("for a test"):
                if world.rank == 1:
                    raise InputError("b.png: broken")
        except InputError as error:
            said["error"] = str(error)
    return said


def _late(job):  # noqa: ARG001
    from monostep.training.world import joined

    with joined("cpu", PATIENCE_S) as world:
        if world.rank == 1:
            time.sleep(PATIENCE_S + 3)
        world.meet("for a test")


def _gradients(job):
    import torch

    from monostep.training.world import joined

    with joined("cpu", PATIENCE_S) as world:
        found, loss = gradients(job["settings"], world, double=job["double"])
        if world.leads:
            torch.save(found, job["run"])
    return loss


def gradients(settings, world, *, double=False):
    """Gradients of the first step of nano-depth, whole, by name; and the loss.

    In float32 those of a random network are right to 1e-5 only, whoever computes them: `double`
    shows that what differs is rounding.
    """
    import torch
    from torch.distributed.tensor import DTensor

    from monostep.recipes import recipe
    from monostep.training import order, parallel, precision
    from monostep.training.beginning import begin
    from monostep.training.leaving import Leave
    from monostep.training.optimiser import new_optimiser
    from monostep.training.overriding import override
    from monostep.training.step import DepthTask
    from monostep.training.update import Updater

    config = override(recipe("nano-depth"), [*settings, "clip=1e9"])
    task = DepthTask(begin(config).model.to(torch.float64 if double else torch.float32), config)
    data = order.Pieces(config, slices=order.pieces(config, world.size))
    updater = Updater(
        loss=parallel.spread(task, config, world),
        optimiser=new_optimiser(task.trained.parameters(), config),
        scaler=precision.loss_scaler(config.precision, world.device),
        config=config,
        world=world,
    )
    numbers = range(world.rank, config.accumulate * data.slices, world.size)
    pieces = [data.piece(number) for number in numbers]
    taken = updater.take(
        0, [_double(piece) for piece in pieces] if double else pieces, leave=Leave()
    )
    every = {name: parameter.grad for name, parameter in task.trained.named_parameters()}
    whole = {k: g.full_tensor() if isinstance(g, DTensor) else g for k, g in every.items()}
    return whole, taken.loss


def _measured(job):
    """How many weights are in one piece after a pass without backward, bare and in `measuring`."""
    from contextlib import nullcontext

    import torch
    from numbered import Numbered
    from torch.distributed.tensor import DTensor

    from monostep.recipes import recipe
    from monostep.training import parallel
    from monostep.training.beginning import begin
    from monostep.training.overriding import override
    from monostep.training.step import DepthTask
    from monostep.training.world import joined

    config = override(recipe("nano-depth"), job["settings"])
    with joined("cpu", PATIENCE_S) as world:
        task = DepthTask(begin(config).model, config)
        parallel.spread(task, config, world)
        whole = []
        for around in (nullcontext(), parallel.measuring(task.trained)):
            with torch.no_grad(), around:
                task.predict(Numbered(1).fetch([0], (24, 24)))
            whole.append(sum(not isinstance(p, DTensor) for p in task.trained.parameters()))
    return whole


def _double(batch):
    names = ("image", "depth_m", "normals", "intrinsics")
    wide = {name: getattr(batch.samples, name).double() for name in names}
    return replace(batch, samples=replace(batch.samples, **wide))


def _main(folder):
    from functools import partial

    import drawn_scenes

    from monostep.data.cache import SceneCache
    from monostep.training import source

    source.SceneCache = partial(SceneCache, renderer=drawn_scenes.render)  # as tests alone do
    said = []
    for job in json.loads((folder / "jobs.json").read_text()):
        os.environ["MASTER_PORT"] = str(job["port"])
        try:
            said.append(globals()[f"_{job['job']}"](job))
        except Exception as error:  # noqa: BLE001 - what a job says may be any error
            said.append({"error": f"{type(error).__name__}: {error}"})
    (folder / f"{os.environ['RANK']}.json").write_text(json.dumps(said))


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
