import pytest

from monostep.benchmark import joint_plan
from monostep.benchmark.cases import Case
from monostep.benchmark.joint_program import JOINT, KINDS, TWO, UNFOLDED
from monostep.benchmark.plan import Wishes
from monostep.benchmark.subjects import Subject
from monostep.errors import SettingError

CASE = Case(size=(32, 48))


def test_everyone_runs_in_every_precision_and_in_float32(joint_planned):
    names = [subject.name for subject in joint_planned.subjects]
    assert names == [f"{kind} {dtype}" for kind in KINDS for dtype in ("bf16", "fp32")]
    assert (joint_planned.default, joint_planned.reference) == ("joint fp32", "joint unfolded fp32")


def test_each_process_gets_the_models_of_its_kind(joint_planned):
    assignment = joint_planned.assignment(joint_planned.subjects[0])
    sources = [each.source for each in (assignment.weights, *assignment.alone)]
    assert [source.rsplit("/", 1)[1] for source in sources] == ["geometry", "depth", "normals"]
    assert assignment.threads == 1


def test_the_joint_pass_is_compared_with_both_others_in_the_same_precision(joint_planned):
    there = {subject.name: subject for subject in joint_planned.subjects if subject.dtype == "fp32"}
    pairs = joint_planned.pairs(there, joint_planned.default)
    assert [(pair.ours, pair.other) for pair in pairs] == [
        ("joint fp32", "two models fp32"),
        ("joint fp32", "joint unfolded fp32"),
    ]


def test_weights_in_files_and_the_memory_that_they_need(joint_planned):
    disk = joint_planned.disk_bytes
    assert disk[JOINT] == disk[UNFOLDED] < disk[TWO]
    single, half = (
        joint_planned.needs(Subject(kind=TWO, dtype=dtype), []) for dtype in ("fp32", "bf16")
    )
    assert single - half == disk[TWO] // 2
    assert single == disk[TWO] + 2 * joint_planned.maps_bytes


@pytest.mark.parametrize(
    ("size", "wishes", "said"),
    [
        ("huge", {}, "--size huge"),
        ("tiny", {"rounds": 0}, "--repeat 0"),
        ("tiny", {"dtypes": ("int3",)}, "--dtype int3"),
        ("tiny", {"dtypes": ("auto",)}, "--dtype auto"),
    ],
)
def test_what_makes_no_sense_is_told_before_weights_are_written(tmp_path, size, wishes, said):
    with pytest.raises(SettingError, match=said):
        joint_plan.plan(tmp_path, size, [CASE], Wishes(device="cpu", **wishes))
    assert list(tmp_path.iterdir()) == []
