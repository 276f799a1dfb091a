"""How fast this machine multiplies matrices: what no network on it can exceed for long."""

import time

import torch
from jaxtyping import Float
from torch import Tensor

from monostep.benchmark.cases import Case
from monostep.benchmark.program import Pictures, Program
from monostep.device import DTYPES, choose_dtype

_ENOUGH = 0.1  # seconds of one product: longer ones are not faster
_SMALLEST, _LARGEST = 512, {"cpu": 4096, "cuda": 16384}  # side of the matrices


def load(dtype: str, device: torch.device) -> Program:
    """A product of two square matrices, as large as it takes to reach the peak."""
    kind = choose_dtype(dtype, device)
    side, largest = _SMALLEST, _LARGEST.get(device.type, _SMALLEST)
    matrices = _matrices(side, kind, device)
    torch.mm(*matrices)
    while side < largest and _seconds(matrices, device) < _ENOUGH:
        side *= 2
        matrices = _matrices(side, kind, device)
        torch.mm(*matrices)

    def predict(_: Pictures, __: Case) -> Tensor:
        return torch.mm(*matrices)

    (name,) = [name for name, each in DTYPES.items() if each == kind]
    return Program(dtype=name, predict=predict)


def _matrices(
    side: int, dtype: torch.dtype, device: torch.device
) -> tuple[Float[Tensor, "side side"], Float[Tensor, "side side"]]:
    made = torch.rand(2, side, side, device=device).to(dtype)
    return made[0], made[1]


def _seconds(matrices: tuple[Tensor, Tensor], device: torch.device) -> float:
    begin = time.perf_counter()
    torch.mm(*matrices)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - begin
