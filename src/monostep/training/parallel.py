"""One optimiser step's gradients from many processes: DDP copies the weights, FSDP2 shares them."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.nn.parallel import DistributedDataParallel

from monostep.errors import SettingError
from monostep.training.batch import Batch
from monostep.training.config import TrainConfig
from monostep.training.fitting import parts
from monostep.training.task import PerImage, Task, carried
from monostep.training.world import World

CALLED = ("encode", "decode")  # methods that compute, as a module's call does


class Loss(nn.Module):
    """A task's loss as a forward pass, which is what DDP wraps: of what it owns, all learns."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.trained = task.trained
        self.task = task

    def forward(self, batch: Batch) -> PerImage:
        """The loss of each image."""
        return self.task.loss(batch)


def spread(task: Task, config: TrainConfig, world: World) -> nn.Module:
    """The task's loss on this process; its gradients become the mean over all processes.

    Raises:
        SettingError: weights that should be shared out (`shard`) with only one process to hold
            them, or an optimiser or task that needs whole ones.
    """
    if config.shard:
        _check_shard(task, config, world)
        _shard(task.trained, world)
        return Loss(task)
    if world.size > 1:
        ids = [world.device.index] if world.device.type == "cuda" else None
        return DistributedDataParallel(Loss(task), device_ids=ids)
    return Loss(task)


@contextmanager
def exchanging(loss: nn.Module, exchange: bool) -> Iterator[None]:  # noqa: FBT001 - one question
    """While inside, backward passes exchange gradients or, before a step's last one, do not."""
    if isinstance(loss, DistributedDataParallel) and not exchange:
        with loss.no_sync():
            yield
        return
    if isinstance(loss, Loss):
        for module in loss.trained.modules():
            if isinstance(module, FSDPModule):
                module.set_requires_gradient_sync(exchange)
    yield


@contextmanager
def measuring(trained: nn.Module) -> Iterator[None]:
    """Inside are passes without backward; after it, the weights are spread as they were.

    FSDP2 leaves those of the outermost module gathered: a state would hold them as they were then,
    and the next step would compute with them, whatever became of the weights since.
    """
    try:
        yield
    finally:
        for module in trained.modules():
            if isinstance(module, FSDPModule):
                module.reshard()


def _check_shard(task: Task, config: TrainConfig, world: World) -> None:
    if world.size == 1:
        raise SettingError("shard=true on one process: start several with torchrun")
    if config.optimiser == "adamw8bit":
        raise SettingError(
            "shard=true with optimiser adamw8bit, which needs whole weights: choose adamw"
        )
    if config.task == "autoencoder":
        raise SettingError("shard=true with an autoencoder, which is small: leave it out")
    if carried(task):
        raise SettingError(
            f"shard=true with {config.recipe}, which follows the weights with a network of its "
            "own: leave it out"
        )


def _shard(trained: nn.Module, world: World) -> None:
    """Spread the weights of each block, and of what is left, over the processes."""
    mesh = init_device_mesh(world.device.type, (world.size,))
    for parameter in trained.parameters():  # FSDP2 takes no other layout; activations keep theirs
        parameter.data = parameter.data.contiguous()
    for network in parts(trained):  # only what is called can gather its weights
        lists = [child for child in network.children() if isinstance(child, nn.ModuleList)]
        for block in (block for each in lists for block in each):
            fully_shard(block, mesh=mesh)
        fully_shard(network, mesh=mesh)
        for method in CALLED:
            if hasattr(network, method):
                register_fsdp_forward_method(network, method)
