"""How much a study may cost: seeds, scenes, steps, and where it runs."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from monostep.recipes.miniature import HEIGHT, WIDTH

Name: TypeAlias = Literal["cpu", "gpu", "quick"]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The size of a study; everything else of it follows from its recipes."""

    name: Name
    device: str  # of training
    seeds: tuple[int, ...]  # each is a base model of its own and all that is trained from it
    images: int = 300  # held-out scenes that are measured on
    height: int = HEIGHT
    width: int = WIDTH
    scenes: tuple[int, ...] = (1_000, 10_000, 100_000)  # to train on, for the curve over them
    model: str | None = (
        None  # an embedded diffusion model of depth: it is measured, none is trained
    )


BUDGETS: dict[Name, Budget] = {
    "cpu": Budget(name="cpu", device="cpu", seeds=(0, 1, 2)),
    "gpu": Budget(name="gpu", device="cuda", seeds=(0, 1, 2)),
    "quick": Budget(name="quick", device="cpu", seeds=(0,), images=32, model="miniature-depth"),
}
