from monostep.benchmark.pairs import DEFAULTS, Pair, pairs
from monostep.benchmark.subjects import DIFFUSERS, OURS, PEAK, UNFOLDED, Subject


def _pairs(*subjects, default):
    return pairs({subject.name: subject for subject in subjects}, default)


def test_everyone_meets_ours_in_the_same_precision_and_both_as_they_come():
    found = _pairs(
        Subject(kind=OURS, dtype="bf16"),
        Subject(kind=OURS, dtype="fp32"),
        Subject(kind=DIFFUSERS, dtype="fp32"),
        Subject(kind=DIFFUSERS, dtype="bf16"),
        Subject(kind=UNFOLDED, dtype="fp32"),
        Subject(kind=PEAK, dtype="fp32"),
        default="monostep bf16",
    )
    assert found == [
        Pair(name="equal precision, fp32", ours="monostep fp32", other="diffusers fp32"),
        Pair(name="equal precision, bf16", ours="monostep bf16", other="diffusers bf16"),
        Pair(name="equal precision, fp32", ours="monostep fp32", other="unfolded fp32"),
        Pair(name=DEFAULTS, ours="monostep bf16", other="diffusers fp32"),
    ]


def test_compiled_meets_compiled():
    found = _pairs(
        Subject(kind=OURS, dtype="fp32"),
        Subject(kind=OURS, dtype="fp32", compiled=True),
        Subject(kind=DIFFUSERS, dtype="fp32", compiled=True),
        default="monostep fp32",
    )
    assert [(pair.ours, pair.other) for pair in found] == [
        ("monostep fp32 compiled", "diffusers fp32 compiled")
    ]


def test_who_is_not_there_is_compared_with_nobody():
    assert _pairs(Subject(kind=DIFFUSERS, dtype="fp32"), default="monostep fp32") == []
    assert _pairs(Subject(kind=OURS, dtype="fp32"), default="monostep fp32") == []
