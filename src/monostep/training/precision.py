"""Which numbers a run computes in: float32 weights, smaller products, a smaller frozen part.

A step of 3e-5 on a bfloat16 weight of 0.02 leaves it as it was: whatever learns stays float32,
and only products are bfloat16 or float16. Float16 gradients below 6e-8 vanish unless the loss is
scaled up. Source: Micikevicius et al., Mixed precision training (ICLR 2018).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain

import torch
from torch import Tensor, nn

from monostep.device import DTYPES
from monostep.errors import TrainingError
from monostep.training.config import Precision


def autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """The context of a forward pass: products in `precision`, nothing changed for fp32."""
    return torch.autocast(device.type, DTYPES[precision], enabled=precision != "fp32")


def loss_scaler(precision: Precision, device: torch.device) -> torch.amp.GradScaler:  # pyright: ignore[reportPrivateImportUsage]
    """Scales the loss for fp16, and passes it through for the others.

    Call `scale(loss).backward()`, `unscale_(optimiser)`, clip, `step(optimiser)`, `update()`. A
    step whose gradient overflows is left out and halves the scale: at the start of a run that is
    no fault. Its `state_dict()` belongs to the run's state.
    """
    return torch.amp.GradScaler(device.type, enabled=precision == "fp16")  # pyright: ignore[reportPrivateImportUsage]


def check_master(module: nn.Module) -> None:
    """Raise TrainingError for the first weight that learns in less than float32."""
    for name, parameter in module.named_parameters():
        if parameter.requires_grad and parameter.dtype.itemsize < torch.float32.itemsize:
            dtype = str(parameter.dtype).removeprefix("torch.")
            raise TrainingError(
                f"{name} learns in {dtype}, expected float32: most steps would round to nothing; "
                "load the model in float32 and choose the precision with `precision`"
            )


class Frozen:
    """Modules that no longer learn and compute in a dtype of their own, with float32 doors.

    Each direct part of a module casts what enters to the dtype of its weights and what leaves to
    float32, and does not hear autocast, which would keep norms and their activations in float32.
    Gradients flow through. The weights as they were wait on the CPU, for `full()`.
    """

    def __init__(self, dtype: torch.dtype, *modules: nn.Module) -> None:
        """Freeze such modules: an autoencoder, an image encoder."""
        self._weights: list[tuple[Tensor, Tensor]] = []  # in use, and as they were
        for module in modules:
            self._cast(module, dtype)

    def _cast(self, module: nn.Module, dtype: torch.dtype) -> None:
        module.requires_grad_(False)  # noqa: FBT003 - torch's own signature
        for weight in chain(module.parameters(), module.buffers()):
            if weight.is_floating_point():
                self._weights.append((weight, weight.detach().cpu()))
                weight.data = weight.data.to(dtype)
        for part in module.children():
            part.forward = partial(_cast, part)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Inside the block the modules have their own weights and compute in them: to save."""
        in_use = [weight.data for weight, _ in self._weights]
        for weight, original in self._weights:
            weight.data = original.to(weight.device)
        try:
            yield
        finally:
            for (weight, _), smaller in zip(self._weights, in_use, strict=True):
                weight.data = smaller


def _cast(part: nn.Module, features: Tensor) -> Tensor:
    dtype = next(part.parameters()).dtype
    with torch.autocast(features.device.type, enabled=False):
        return type(part).forward(part, features.to(dtype)).float()
