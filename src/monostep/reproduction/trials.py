"""What is measured: models, each run in some ways.

model      what was trained, without its seed: "depth", "e2e-depth-base"
way        how it is run: "trailing-1", "leading-50x10", "lcm-4", or "once", as it is
trial      one model of one seed, run in one way; its scores are a file
"""

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["depth", "normals"]

STEPS = (1, 2, 4, 10, 25, 50)
PATH = 50  # trailing steps of the way on which every step's estimate is measured
MEMBERS = 10


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a model is run, in the words of `Predictor`; what is absent is the card's."""

    name: str
    asked: dict[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> str:
        """The same as options of `monostep evaluate`."""
        return " ".join(f"--{name} {value}" for name, value in self.asked.items())


def sampled(spacing: str, steps: int, ensemble: int = 1) -> Way:
    """A diffusion model from Gaussian noise; Marigold's is "leading-50x10"."""
    name = f"{spacing}-{steps}" + (f"x{ensemble}" if ensemble > 1 else "")
    asked = {"spacing": spacing, "steps": steps, "last": "clean"}
    return Way(name=name, asked=asked | ({"ensemble": ensemble} if ensemble > 1 else {}))


ONCE = Way(name="once")  # as the card says: the one step of a fine-tuned model
ONES = tuple(sampled(spacing, steps) for spacing in ("trailing", "leading") for steps in STEPS)
ENSEMBLES = tuple(sampled(spacing, PATH, MEMBERS) for spacing in ("trailing", "leading"))
LCM = tuple(Way(name=f"lcm-{steps}", asked={"steps": steps}) for steps in (1, 4))


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One trained model on the held-out scenes, run in one way."""

    model: str
    seed: int
    kind: Kind  # of the map that is judged
    way: Way
    joint: bool = False  # the model gives both maps, of which this is one

    @property
    def run(self) -> str:
        """Name of the training run."""
        return f"{self.model}-{self.seed}"

    @property
    def pattern(self) -> str:
        """Name of the file of its scores, with {seed} in the place of the seed."""
        which = f".{self.kind}" if self.joint else ""
        return f"{self.model}-{{seed}}{which}.{self.way.name}"

    @property
    def name(self) -> str:
        """Name of the file of its scores."""
        return self.pattern.format(seed=self.seed)
