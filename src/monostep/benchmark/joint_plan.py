"""What is measured of a joint model against two models, on random weights of one size."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monostep.benchmark import plan as predictions
from monostep.benchmark import random_weights, subjects
from monostep.benchmark.cases import Case
from monostep.benchmark.joint_program import JOINT, KINDS, TWO, UNFOLDED, JointAssignment
from monostep.benchmark.pairs import Pair
from monostep.benchmark.plan import Plan, Wishes
from monostep.benchmark.program import Weights
from monostep.benchmark.subjects import EXACT, Subject
from monostep.benchmark.worker import Loaded
from monostep.device import DTYPES, choose_device

TASKS = ("geometry", "depth", "normals")


@dataclass(frozen=True, kw_only=True)
class JointPlan(Plan):
    """Everything that is decided; `weights` are the joint model's."""

    alone: tuple[Weights, Weights]  # of the depth model and of the normals model

    @property
    def default(self) -> str:
        """The folded joint model in float32."""
        return Subject(kind=JOINT, dtype=EXACT).name

    @property
    def reference(self) -> str:
        """The subject from whose maps those of the folded model are told to differ."""
        return Subject(kind=UNFOLDED, dtype=EXACT).name

    def assignment(self, subject: Subject) -> JointAssignment:
        """What a subject's process is started with."""
        return JointAssignment(
            subject=subject,
            weights=self.weights,
            device=str(self.device),
            threads=self.wishes.threads,
            alone=self.alone,
        )

    def pairs(self, there: Mapping[str, Subject], default: str) -> list[Pair]:  # noqa: ARG002
        """The joint pass against both others in the same precision."""
        found = []
        for name, other in there.items():
            ours = Subject(kind=JOINT, dtype=other.dtype).name
            if other.kind != JOINT and ours in there:
                alike = f"joint against {other.kind}, {other.dtype}"
                found.append(Pair(name=alike, ours=ours, other=name))
        return found

    def needs(self, subject: Subject, loaded: Iterable[Loaded]) -> int:  # noqa: ARG002
        """Bytes to load a subject, and to predict both maps of the largest case."""
        per_number = DTYPES[subject.dtype].itemsize
        return self.disk_bytes[subject.kind] * per_number // 4 + len(TASKS[1:]) * self.maps_bytes

    @property
    def disk_bytes(self) -> dict[str, int]:
        """Weights in the files of each way to both maps."""
        joint, *alone = (_weights(Path(each.source)) for each in (self.weights, *self.alone))
        return {JOINT: joint, TWO: sum(alone), UNFOLDED: joint}


def plan(folder: Path, size: str, cases: Sequence[Case], wishes: Wishes) -> JointPlan:
    """The plan for random weights of a named size, which are written into the folder.

    Raises:
        SettingError: an unknown size, or a wish that makes no sense.
        OutputError: the folder cannot be written.
    """
    predictions.check(wishes)
    subjects.check(wishes.dtypes, tuple(DTYPES), "dtype")
    device = choose_device(wishes.device)
    joint, depth, normals = (
        Weights(
            source=str(random_weights.write(folder / task, size=size, task=task)),
            prompt=np.zeros((0, 0), np.float32),
        )
        for task in TASKS
    )
    precisions = dict.fromkeys([*wishes.dtypes, EXACT])
    return JointPlan(
        weights=joint,
        alone=(depth, normals),
        name=f"random-{size}",
        task="depth and normals",
        subjects=tuple(Subject(kind=kind, dtype=dtype) for kind in KINDS for dtype in precisions),
        cases=tuple(cases),
        steps=1,
        device=device,
        wishes=wishes,
    )


def _weights(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*.safetensors"))
