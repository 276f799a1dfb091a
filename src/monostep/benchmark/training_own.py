"""Our step, put together as `monostep train` does."""

import torch

from monostep.benchmark.training_program import Seen, TrainingAssignment, kept_bytes
from monostep.benchmark.training_work import BETAS, CLIP, DECAY, FAR_M, RATE, Work
from monostep.data.samples import Samples
from monostep.diffusion.latent_diffusion import channels_last
from monostep.training.batch import Batch
from monostep.training.beginning import begin
from monostep.training.fitting import fit
from monostep.training.leaving import Leave
from monostep.training.optimiser import new_optimiser
from monostep.training.parallel import spread
from monostep.training.precision import loss_scaler
from monostep.training.step import DepthTask
from monostep.training.truth_config import TruthConfig
from monostep.training.update import Updater
from monostep.training.world import World


def config(assignment: TrainingAssignment) -> TruthConfig:
    """The benchmark's step as a run: a constant learning rate, and nothing beyond the paper."""
    height, width = assignment.case.size
    precision = assignment.subject.dtype
    return TruthConfig(
        recipe="benchmark",
        task="depth",
        start=assignment.weights.source,
        steps=1_000_000,
        phases=((0.0, height, width, assignment.case.batch),),
        learning_rate=RATE,
        warmup=0,
        final_fraction=1.0,
        beta1=BETAS[0],
        beta2=BETAS[1],
        weight_decay=DECAY,
        clip=CLIP,
        far_m=FAR_M,
        sky_weight=0.0,
        precision=precision,  # pyright: ignore[reportArgumentType] - a name of DTYPES
        frozen_precision=precision,  # pyright: ignore[reportArgumentType]
        recompute=assignment.recompute,
        device=assignment.device,
    )


class OwnLearner:
    """`monostep.training`, from the checkpoint to the optimiser."""

    def __init__(self, assignment: TrainingAssignment) -> None:
        how = config(assignment)
        world = World(device=torch.device(assignment.device))
        model = channels_last(begin(how).model.to(world.device))
        task = DepthTask(model, how)
        fit(task, model, how)
        self.updater = Updater(
            loss=spread(task, how, world),
            optimiser=new_optimiser(task.trained.parameters(), how),
            scaler=loss_scaler(how.precision, world.device),
            config=how,
            world=world,
        )
        self.kept_bytes = kept_bytes(list(model.parameters()))
        self._step = 0

    def begin(self, work: Work) -> None:
        """Take the images that all steps learn from."""
        batch = len(work.image)
        samples = Samples(
            image=torch.from_numpy(work.image),
            depth_m=torch.from_numpy(work.depth_m),
            normals=torch.zeros(work.image.shape),
            valid=torch.from_numpy(work.valid),
            sky=torch.zeros(work.valid.shape, dtype=torch.bool),
            intrinsics=torch.eye(3).expand(batch, 3, 3),
            kind=torch.zeros(batch, dtype=torch.long),
        )
        names = tuple(f"scene {k}" for k in range(batch))
        self._batch = Batch(samples=samples, step=0, seeds=tuple(range(batch)), names=names)

    def step(self) -> Seen:
        """One step of the run."""
        taken = self.updater.take(self._step, [self._batch], leave=Leave())
        self._step += 1
        return Seen(loss=taken.loss, norm=taken.norm)
