import pytest

from monostep.benchmark.subjects import AUTO, DIFFUSERS, OURS, PEAK, UNFOLDED, line_up
from monostep.errors import SettingError


def _names(*arguments, **options):
    return [subject.name for subject in line_up(*arguments, **options)]


def test_our_default_is_first_and_float32_is_always_there():
    names = _names(["bf16"], [DIFFUSERS, UNFOLDED], compiled=False)
    assert names[0] == f"{OURS} {AUTO}"
    assert {f"{OURS} fp32", f"{DIFFUSERS} fp32", f"{PEAK} fp32"} <= set(names)
    assert {f"{OURS} bf16", f"{DIFFUSERS} bf16", f"{UNFOLDED} bf16", f"{PEAK} bf16"} <= set(names)
    assert f"{UNFOLDED} fp32" not in names


def test_nobody_comes_twice():
    names = _names(["fp32", "bf16"], [DIFFUSERS], compiled=True)
    assert len(names) == len(set(names))


def test_compiled_are_ours_and_diffusers_in_the_precisions_asked_for():
    names = _names(["bf16"], [DIFFUSERS, "dpt-large"], compiled=True)
    compiled = [name for name in names if name.endswith("compiled")]
    assert compiled == [f"{OURS} bf16 compiled", f"{DIFFUSERS} bf16 compiled"]


@pytest.mark.parametrize(
    ("dtypes", "against", "said"),
    [(["int4"], [], "--dtype int4: choose of fp32"), (["fp32"], ["dpt"], "--against dpt: choose")],
)
def test_what_does_not_exist_is_refused_with_what_does(dtypes, against, said):
    with pytest.raises(SettingError, match=said):
        line_up(dtypes, against, compiled=False)
