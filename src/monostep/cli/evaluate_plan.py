"""What `monostep evaluate` was asked for, checked before anything is loaded."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from monostep.errors import SettingError
from monostep.evaluation import choose, enter, run
from monostep.evaluation.benchmark import Benchmark
from monostep.evaluation.choose import Asked
from monostep.evaluation.enter import Declared
from monostep.evaluation.entrants import Entrants
from monostep.evaluation.reports import paths as report_paths
from monostep.evaluation.rules import Alignment, Task
from monostep.evaluation.run import How, Screen
from monostep.evaluation.sets import depth_rules, normals_rules
from monostep.feedforward.memory import parse_bytes
from monostep.runner.models import Loading

_PRECISION = "fp32"  # unless told, so that scores compare
_PROTOCOLS = {"depth set": depth_rules.PROTOCOLS, "normals set": normals_rules.PROTOCOLS}


@dataclass(frozen=True)
class _Opened:
    """A benchmark under one protocol."""

    name: str  # as it was typed
    label: str  # of its protocol, where there are several
    benchmark: Benchmark

    @property
    def typed(self) -> str:
        """In the user's words."""
        return f"{self.name} {self.label}".rstrip()

    @property
    def stem(self) -> str:
        """Of its reports' files."""
        return report_paths.stem(self.benchmark.name, self.label)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All options of a call; None or empty: not asked."""

    benchmarks: Sequence[str]
    protocols: Sequence[str]
    asked: Asked
    models: Sequence[str]
    predictions: Sequence[str]
    declared: Declared
    loading: Loading
    sampling: Mapping[str, Any]  # keywords of Predictor.inference
    batch_size: int
    how: How

    def __post_init__(self) -> None:
        """Refuse options that mean nothing beside the others."""
        _refuse_models(self)
        _refuse_declarations(self)
        if not self.benchmarks:
            return
        asked = replace(self.asked, protocol=self.protocols[0] if self.protocols else None)
        choose.check(self.benchmarks, asked)


def execute(plan: Plan, screen: Screen) -> Iterator[dict[str, Any]]:
    """The report of each contender on each benchmark under each protocol, as they are made."""
    opened = [_Opened(*each) for name in plan.benchmarks for each in _opened(name, plan)]
    report_paths.check_distinct((each.typed, each.stem) for each in opened)
    everybody = _entrants(plan, [each.benchmark for each in opened])
    parts = _parts(everybody, [each.benchmark for each in opened])
    jobs = [
        (each.benchmark, entrants, replace(plan.how, label=each.label))
        for each, entrants in zip(opened, parts, strict=True)
    ]
    run.check(jobs)  # a mistake shows before the first of them takes its hours
    for line in dict.fromkeys(_incomplete(each.benchmark) for each in opened):
        if line is not None:
            screen.say(line)
    for job in jobs:
        yield from run.run(*job, screen)


def alignment(word: str | None) -> Alignment | None:
    """The alignment of that name (SettingError if there is none)."""
    if word is not None and word not in get_args(Alignment):
        raise SettingError(f"align {word!r}: choose {', '.join(get_args(Alignment))}")
    return word  # pyright: ignore[reportReturnType]


def task(word: str | None) -> Task | None:
    """The task of that name (SettingError if there is none)."""
    if word is not None and word not in get_args(Task):
        raise SettingError(f"task {word!r}: choose {' or '.join(get_args(Task))}")
    return word  # pyright: ignore[reportReturnType]


def loading(dtype: str | None, *, fp16: bool, max_memory: str | None, **more: Any) -> Loading:
    """How models are loaded: in float32 unless told, so that scores compare.

    Raises:
        SettingError: two precisions, or an amount of memory that cannot be understood.
    """
    if fp16 and dtype not in (None, "fp16"):
        raise SettingError(f"--fp16 and --dtype {dtype} contradict each other; give one of them")
    precision = "fp16" if fp16 else dtype or _PRECISION
    return Loading(dtype=precision, max_memory=parse_bytes(max_memory), **more)


def _opened(name: str, plan: Plan) -> Iterator[tuple[str, str, Benchmark]]:
    """A benchmark under each protocol that fits it, as typed and with what tells files apart."""
    protocols = _fitting(name, plan)
    if not protocols:
        yield name, "", choose.choose(name, plan.asked)
        return
    several = len(protocols) > 1
    for protocol in protocols:
        benchmark = choose.choose(name, replace(plan.asked, protocol=protocol))
        yield name, protocol if several else "", benchmark


def _fitting(name: str, plan: Plan) -> list[str]:
    """The protocols that a benchmark has, and those that none has, which it will refuse."""
    if choose.kind(name) not in choose.SETS:
        return []
    fit = {each for known in plan.benchmarks for each in plan.protocols if _has(known, each)}
    return [each for each in plan.protocols if each not in fit or _has(name, each)]


def _has(name: str, protocol: str) -> bool:
    if protocol.endswith("-garg") and name != "kitti":
        return False
    return protocol in _PROTOCOLS.get(choose.kind(name), ())


def _parts(everybody: Entrants, benchmarks: Sequence[Benchmark]) -> list[Entrants]:
    """For each benchmark those whose maps it can judge, and those that none can, to be refused."""
    judged = {task for benchmark in benchmarks for task in benchmark.rules}
    parts = []
    for benchmark in benchmarks:
        idle = judged - benchmark.rules.keys()
        models = [each for each in everybody.models if not idle.issuperset(everybody.tasks(each))]
        stored = [each for each in everybody.stored if each.task not in idle]
        part = replace(everybody, models=models, stored=stored) if models or stored else everybody
        parts.append(part)
    return parts


def _incomplete(benchmark: Benchmark) -> str | None:
    """A line for people where listed images are not there, and were not left out by the user."""
    about = benchmark.about()
    if "only_first" in about or not about.get("missing"):
        return None
    return (
        f"{benchmark.name}: {about['missing']} of the {about['expected']} listed images are not in "
        "the data; not comparable with published numbers"
    )


def _entrants(plan: Plan, benchmarks: Sequence[Benchmark]) -> Entrants:
    names = plan.models
    if not names and not plan.predictions:
        names = enter.embedded_for(benchmarks)
    return Entrants(
        models=enter.load(names, plan.loading, plan.sampling),
        stored=enter.predictions(plan.predictions, plan.declared, benchmarks),
        asked=plan.sampling,
        task=plan.loading.task,  # pyright: ignore[reportArgumentType] - checked where it was typed
        batch_size=plan.batch_size,
    )


def _refuse_models(plan: Plan) -> None:
    """Refuse options for models where only predictions are judged."""
    is_table = not plan.benchmarks  # which has rows with models besides
    if plan.models or not plan.predictions or is_table:
        return
    asked = [name for name, value in plan.sampling.items() if value is not None]
    asked += [name for name, value in _of_models(plan).items() if value]
    if asked:
        raise SettingError(
            f"--{asked[0]} is for models, and only predictions are judged: leave it out, or name a "
            "--model too"
        )


def _of_models(plan: Plan) -> dict[str, Any]:
    """Options of models besides how they sample, each with what is not its default."""
    how = plan.loading
    return {
        "save-predictions": plan.how.save_predictions,
        "batch-size": plan.batch_size,
        "dtype" if how.dtype != "fp16" else "dtype (--fp16)": how.dtype != _PRECISION,
        "max-memory": how.max_memory is not None,
        "device": how.device != Loading.device,
        "network-frame": how.frame,
        "revision": how.revision,
        "variant": how.variant,
        "prompt-tokens": how.prompt_tokens,
        "attention": how.attention,
        "unet": how.unet,
        "offline": how.offline,
    }


def _refuse_declarations(plan: Plan) -> None:
    """Refuse what is said of predictions where there are none."""
    if plan.predictions:
        return
    said = {name: value for name, value in vars(plan.declared).items() if name != "task"}
    for name, value in said.items():
        if value is not None:
            more = "; --network-frame is for models" if name == "frame" else ""
            raise SettingError(
                f"--{name.replace('_', '-')} is for --predictions, and there are none: "
                f"leave it out{more}"
            )
