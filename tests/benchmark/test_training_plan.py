import importlib

import pytest

from monostep.benchmark import random_weights
from monostep.benchmark.cases import Case
from monostep.benchmark.training_plan import TrainingWishes, plan
from monostep.errors import SettingError

CASES = [Case(size=(8, 8))]


def _names(folder, **wishes):
    made = plan(str(folder), CASES, TrainingWishes(device="cpu", **wishes))
    return [subject.name for subject in made.subjects]


@pytest.mark.filterwarnings("ignore")  # diffusers deprecates at length
def test_every_precision_of_ours_and_of_the_others(folder):
    assert _names(folder) == ["monostep fp32", "diffusers fp32"]
    assert _names(folder, against=()) == ["monostep fp32"]
    assert _names(folder, against=("diffusers-tuned",), dtypes=("bf16", "fp32")) == [
        "monostep bf16",
        "diffusers-tuned bf16",
        "monostep fp32",
        "diffusers-tuned fp32",
    ]


@pytest.mark.filterwarnings("ignore")
def test_assignments_say_all_that_a_process_needs(folder):
    made = plan(
        str(folder), CASES, TrainingWishes(device="cpu", recompute="unet", threads=3, rounds=2)
    )
    for name, one in made.assignments(CASES[0]).items():
        assert (one.subject.name, one.recompute, one.threads) == (name, "unet", 3)
        assert (one.case, one.device) == (CASES[0], "cpu")
        assert one.weights.prompt.shape[0] == 2


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"against": ("unfolded",)}, "--against unfolded with --training"),
        ({"recompute": "some"}, "--recompute some with --training"),
        ({"warm_ups": -1}, "--warm-up -1"),
        ({"dtypes": ()}, "--dtype"),
        ({"dtypes": ("int3",)}, "--dtype int3"),
        ({"rounds": 0}, "--repeat 0"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(folder, wishes, said):
    with pytest.raises(SettingError, match=said):
        _names(folder, against=wishes.pop("against", ()), **wishes)


def test_a_normals_model_is_refused(normals_folder):
    with pytest.raises(SettingError, match="predicts normals"):
        _names(normals_folder, against=())


def test_without_diffusers_ours_is_measured_alone_and_a_note_says_so(folder, monkeypatch):
    module = importlib.import_module("monostep.inspection.diffusers_pipeline")

    def missing(_):
        raise SettingError("it is not here")

    monkeypatch.setattr(module, "check", missing)
    made = plan(str(folder), CASES, TrainingWishes(device="cpu"))
    assert [subject.name for subject in made.subjects] == ["monostep fp32"]
    assert made.shared.notes == ("without diffusers: it is not here",)


def test_a_model_of_both_maps_is_refused_in_one_line(tmp_path):
    both = random_weights.write(tmp_path, size="tiny", task="geometry")
    with pytest.raises(SettingError, match="it predicts depth and normals;"):
        _names(both)
