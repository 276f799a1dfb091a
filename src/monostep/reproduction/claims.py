"""The paper's claims, each as a ratio of two trials with a margin, and what the study says."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from monostep.reproduction import study
from monostep.reproduction.bootstrap import Ratio, Table, ratio
from monostep.reproduction.budget import Budget
from monostep.reproduction.collected import Collected
from monostep.reproduction.margins import MARGINS, Margin
from monostep.reproduction.trials import Kind
from monostep.reproduction.verdict import Verdict, judge

SEEDS = 3  # of trainings that are compared


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement about the ratio of two mean errors; of several trials, the best counts."""

    letter: str
    margin: str  # its name in MARGINS
    statement: str
    over: tuple[str, ...]  # numerator
    under: tuple[str, ...]  # denominator
    columns: tuple[str, str] = ("error", "error")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the study says about a claim on one stratum."""

    claim: Claim
    stratum: str = "all"
    seeds: int = 0
    least_seeds: int = SEEDS  # without so many trainings there is no verdict
    each: tuple[float, ...] = ()  # the ratio of every seed
    under: str = ""  # which trial was the best
    ratio: Ratio | None = None

    @property
    def margin(self) -> Margin:
        """Within which the interval must lie."""
        return MARGINS[self.claim.margin]

    @property
    def verdict(self) -> Verdict:
        """Not run, where trials are missing; inconclusive, where too few trainings were."""
        if self.ratio is None:
            return "not run"
        found = judge(self.ratio, self.margin)
        counted = self.ratio.low is None
        return found if counted or self.seeds >= self.least_seeds else "inconclusive"


def outcomes(collected: Collected, budget: Budget) -> list[Outcome]:
    """All claims that a study is about, in the order of their letters, on every stratum."""
    measured = study.results(budget)
    asked = [claim for claim in claims() if {*claim.over, *claim.under} <= measured]
    of_maps = [each for claim in asked for each in evaluate(collected, claim)]
    before_m = [each for each in of_maps if each.claim.letter < "m"]
    behind = [each for each in of_maps if each.claim.letter > "m"]
    return [*before_m, *([] if budget.model else _of_memory(collected)), *behind]


def evaluate(collected: Collected, claim: Claim) -> Iterator[Outcome]:
    """One claim on the strata that there are, over the seeds that all of its trials have."""
    seeds = _common(collected, (*claim.over, *claim.under))
    least = min(SEEDS, len(collected.seeds))
    if not seeds:
        yield Outcome(claim=claim)
        return
    collected.check_pairs((*claim.over, *claim.under), seeds)
    for stratum in collected.strata(claim.over[0]):
        above, below = (
            {name: collected.errors(name, column, stratum, seeds) for name in names}
            for names, column in zip((claim.over, claim.under), claim.columns, strict=True)
        )
        over, under = _least(above), _least(below)
        yield Outcome(
            claim=claim,
            stratum=stratum,
            seeds=len(seeds),
            least_seeds=least,
            each=tuple((above[over].mean(axis=1) / below[under].mean(axis=1)).tolist()),
            under=under,
            ratio=ratio(list(above.values()), list(below.values())),
        )


def claims() -> list[Claim]:
    """Those that have errors of scenes or images: all but m."""
    normals = [
        dataclasses.replace(each, letter=f"h ({each.letter})") for each in _of_kind("normals")
    ]
    return [*_of_kind("depth"), *normals, *_of_depth(), *_of_scenes()]


def _of_kind(kind: Kind) -> list[Claim]:
    """Claims a to g."""
    trailing, leading = f"{kind}-{{seed}}.trailing-", f"{kind}-{{seed}}.leading-"
    once = {
        start: f"e2e-{kind}{start}-{{seed}}.once"
        for start in ("", "-base", "-random", "-gaussian", "-pyramid")
    }
    first, path = (trailing + "1",), (f"{kind}-{{seed}}.path",)
    ensembles = (trailing + "50x10", leading + "50x10")
    plain, base, random = (once[""],), (once["-base"],), (once["-random"],)
    others = (once["-gaussian"], once["-pyramid"])
    estimates = ("step_1", "step_50")
    return [
        _claim("a", "a", f"{kind}: one leading step fails", (leading + "1",), first),
        _claim(
            "b", "b-50x1", f"{kind}: one trailing step is close to 50", first, (trailing + "50",)
        ),
        _claim("b", "b-50x10", f"{kind}: and to an ensemble of 10 of 50 steps", first, ensembles),
        _claim("c", "c", f"{kind}: the first of 50 steps is the answer", path, path, estimates),
        _claim("d", "d", f"{kind}: E2E from the diffusion model beats 50x10", plain, ensembles),
        _claim("e", "e", f"{kind}: E2E from the base model beats 50x10", base, ensembles),
        _claim(
            "f", "f-diffusion", f"{kind}: the diffusion model beats a random start", plain, random
        ),
        _claim("f", "f-base", f"{kind}: the base model beats a random start", base, random),
        _claim("g", "g", f"{kind}: zeros are as good as the best noise", plain, others),
    ]


def _of_depth() -> list[Claim]:
    """Claims i to l."""
    plain, latent = ("e2e-depth-{seed}.once",), ("latent-depth-{seed}.once",)
    first, decoder = ("depth-{seed}.trailing-1",), ("e2e-depth-decoder-{seed}.once",)
    images = ("base-{seed}.generation",)
    return [
        _claim(
            "i", "i", "LCM's one step is worse than one trailing step", ("lcm-{seed}.lcm-1",), first
        ),
        _claim("j", "j", "training the decoder changes little", decoder, plain),
        _claim("k", "k", "the loss on the decoded map beats that on the latent", plain, latent),
        *(
            _claim(
                "l",
                f"l-{steps}",
                f"images in {steps} steps gain little from trailing spacing",
                images,
                images,
                (f"trailing_{steps}", f"leading_{steps}"),
            )
            for steps in (25, 50)
        ),
    ]


def _of_scenes() -> list[Claim]:
    """Claim n: 1,000, 10,000 (which is e2e-depth-base), and as many as a run sees, of 100,000."""
    few, usual, many = (
        (f"{study.of_scenes(count)}-{{seed}}.once",) for count in (1_000, 10_000, 100_000)
    )
    return [
        _claim("n", "n-10k", "10,000 training scenes beat 1,000", usual, few),
        _claim("n", "n-100k", "new scenes at every step are no worse than 10,000", many, usual),
    ]


def _claim(
    letter: str,
    margin: str,
    statement: str,
    over: tuple[str, ...],
    under: tuple[str, ...],
    columns: tuple[str, str] = ("error", "error"),
) -> Claim:
    return Claim(
        letter=letter, margin=margin, statement=statement, over=over, under=under, columns=columns
    )


def _of_memory(collected: Collected) -> list[Outcome]:
    """Claim m, which is counted and not estimated."""
    kept = collected.json("memory.json").get("sd2", {})
    found = []
    for calls in ("2", "4"):
        statement = f"{calls} calls of the UNet keep far more for the backward pass than 1"
        claim = _claim("m", f"m-{calls}", statement, (), ())
        there = {"1", calls} <= kept.keys()
        found.append(
            Outcome(claim=claim, ratio=Ratio(value=kept[calls] / kept["1"]) if there else None)
        )
    return found


def _common(collected: Collected, names: Sequence[str]) -> tuple[int, ...]:
    found = [set(collected.found(name)) for name in names]
    return tuple(sorted(set.intersection(*found)))


def _least(errors: Mapping[str, Table]) -> str:
    """Of which trial the mean over all seeds and scenes is the smallest."""
    return min(errors, key=lambda name: errors[name].mean())
