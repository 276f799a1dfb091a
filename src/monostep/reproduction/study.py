"""The paper in miniature as a list of trainings, each by the public trainer.

autoencoder-S
  base-S                        images out of noise: the miniature's Stable Diffusion
    depth-S, normals-S          Marigold
      lcm-S                     Marigold-LCM
      e2e-*-S                   E2E-FT, with other noises, with the decoder
      latent-depth-S            the same with the loss on the latent
    e2e-*-base-S                directly from the base model; other quantities, fewer or more scenes
  e2e-*-random-S                from random weights: the control
  geometry-random-S             depth and normals by one joint model, likewise

No seed needs another's models, so each may be done on a machine of its own. Seeds decide weights,
order, flips and noise; the scenes to learn from, and the held-out ones, are the same for all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from monostep.checkpoints import embedded
from monostep.recipes import recipe
from monostep.reproduction.budget import Budget
from monostep.reproduction.trials import ENSEMBLES, LCM, ONCE, ONES, Kind, Trial

QUANTITIES = ("disparity", "sqrt_disparity", "log_depth")
KINDS: tuple[Kind, ...] = ("depth", "normals")
E2E_DEPTH = "miniature-e2e-depth"
RUNS, RESULTS = "runs", "results"


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training: a recipe, and what is set otherwise; values with {NAME} name a run's model."""

    name: str
    recipe: str
    seed: int
    settings: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()  # names of runs
    embedded: str | None = None  # the model of this name stands for the run's, which is not trained

    @property
    def model(self) -> str:
        """Its name without the seed."""
        return self.name.removesuffix(f"-{self.seed}")

    def arguments(self, folder: Path, budget: Budget) -> list[str]:
        """What stands behind `monostep train`."""
        common = {"cache": str(folder / "cache"), "device": budget.device}
        settings = {"seed": str(self.seed), **self.settings, **common}
        set_ = [f"{name}={_named(value, folder)}" for name, value in settings.items()]
        pairs = [part for each in set_ for part in ("--set", each)]
        return [self.recipe, "-o", str(run_folder(folder, self.name)), *pairs]


def run_folder(folder: Path, name: str) -> Path:
    """Where a run lies in the study's folder."""
    return folder / RUNS / name


def model_folder(folder: Path, name: str) -> Path:
    """The model that came of a run."""
    return run_folder(folder, name) / "model"


def source(folder: Path, run: Run) -> Path:
    """Where the model lies that is measured as the run's."""
    return embedded.ROOT / run.embedded if run.embedded else model_folder(folder, run.name)


def runs(budget: Budget) -> list[Run]:
    """All trainings of a study, every one behind those that it needs."""
    if budget.model:
        return [
            Run(name=f"depth-{seed}", recipe="miniature-depth", seed=seed, embedded=budget.model)
            for seed in budget.seeds
        ]
    return [each for seed in budget.seeds for each in _of_seed(seed, budget)]


def trials(run: Run) -> list[Trial]:
    """What is measured of the model of a run."""
    model, kind = run.model, _kind(run)
    if model == "geometry-random":
        return [
            Trial(model=model, seed=run.seed, kind=each, way=ONCE, joint=True) for each in KINDS
        ]
    if kind is None:
        return []
    of_diffusion = (*ONES, *ENSEMBLES)
    ways = {"depth": of_diffusion, "normals": of_diffusion, "lcm": LCM}.get(model, (ONCE,))
    return [Trial(model=model, seed=run.seed, kind=kind, way=way) for way in ways]


def results(budget: Budget) -> frozenset[str]:
    """Names of all tables of scores that a study leaves, with {seed} in them."""
    found = set()
    for run in runs(budget):
        found |= {trial.pattern for trial in trials(run)}
        found |= {f"{run.model}-{{seed}}.path"} if is_diffusion(run) else set()
        found |= {f"{run.model}-{{seed}}.generation"} if is_base(run) else set()
    return frozenset(found)


def of_scenes(count: int) -> str:
    """The model that is trained on so many scenes; the usual number is e2e-depth-base's own."""
    usual = count == recipe(E2E_DEPTH).scenes
    return "e2e-depth-base" if usual else f"e2e-depth-base-{count // 1000}k"


def is_diffusion(run: Run) -> bool:
    """Whether the run makes a Marigold-like model, whose whole way is measured."""
    return run.recipe in ("miniature-depth", "miniature-normals")


def is_base(run: Run) -> bool:
    """Whether the run makes a model of images out of noise."""
    return run.recipe == "miniature-base"


def _kind(run: Run) -> Kind | None:
    """The map that a run's model predicts; None for those that predict none."""
    if run.recipe in ("miniature-autoencoder", "miniature-base"):
        return None
    return "normals" if "normals" in run.recipe else "depth"


def _of_seed(seed: int, budget: Budget) -> list[Run]:
    """A base model and all that is trained from it."""
    vae = Run(name=f"autoencoder-{seed}", recipe="miniature-autoencoder", seed=seed)
    blank = {"autoencoder": _model(vae.name)}
    base = _run("base", "miniature-base", seed, blank, vae.name)
    depth, normals = (
        _run(kind, f"miniature-{kind}", seed, {"start": _model(base.name)}, base.name)
        for kind in KINDS
    )
    return [
        *(vae, base, depth, normals),
        *_of_kind("depth", seed, depth.name, base.name, vae.name),
        *_of_kind("normals", seed, normals.name, base.name, vae.name),
        _run("geometry-random", "miniature-geometry", seed, blank, vae.name),
        *_of_depth(seed, depth.name, base.name, budget),
    ]


def _of_kind(kind: Kind, seed: int, diffusion: str, base: str, vae: str) -> list[Run]:
    """E2E from every start, and with other noises."""
    name = f"miniature-e2e-{kind}"
    random = {"size": "miniature", "autoencoder": _model(vae)}
    found = [
        _run(f"e2e-{kind}", name, seed, {"start": _model(diffusion)}, diffusion),
        _run(f"e2e-{kind}-base", name, seed, {"start": _model(base)}, base),
        _run(f"e2e-{kind}-random", name, seed, random, vae),
    ]
    for noise in ("gaussian", "pyramid"):
        settings = {"start": _model(diffusion), "noise": noise}
        found.append(_run(f"e2e-{kind}-{noise}", name, seed, settings, diffusion))
    return found


def _of_depth(seed: int, diffusion: str, base: str, budget: Budget) -> list[Run]:
    """What is tried with depth alone."""
    trained, blank = {"start": _model(diffusion)}, {"start": _model(base)}
    found = [
        _run("lcm", "miniature-lcm", seed, {"teacher": _model(diffusion)}, diffusion),
        _run("latent-depth", "miniature-latent", seed, trained, diffusion),
        _run("e2e-depth-decoder", E2E_DEPTH, seed, {**trained, "train_decoder": "true"}, diffusion),
    ]
    for quantity in QUANTITIES:
        settings = {**blank, "quantity": quantity}
        found.append(_run(f"e2e-depth-{quantity}", E2E_DEPTH, seed, settings, base))
    for count in budget.scenes:
        if of_scenes(count) != "e2e-depth-base":
            settings = {**blank, "scenes": str(count)}
            found.append(_run(of_scenes(count), E2E_DEPTH, seed, settings, base))
    return found


def _run(model: str, recipe: str, seed: int, settings: Mapping[str, str], needs: str) -> Run:
    return Run(name=f"{model}-{seed}", recipe=recipe, seed=seed, settings=settings, needs=(needs,))


def _model(run: str) -> str:
    return f"{{{run}}}"


def _named(value: str, folder: Path) -> str:
    """A setting's value with the folder of a run's model in the place of {RUN}."""
    if value.startswith("{"):
        return str(model_folder(folder, value.strip("{}")))
    return value
