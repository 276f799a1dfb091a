import pytest
from toy_benchmark import Oracle, Toy

from monostep.errors import InputError, SettingError
from monostep.evaluation import places
from monostep.evaluation.entrants import Entrants
from monostep.evaluation.predictions.folder import PredictionFolder
from monostep.evaluation.rules import Input, NormalsRules
from monostep.evaluation.stored import StoredPredictions
from monostep.geometry.depth import Depth


@pytest.fixture
def toy():
    return Toy(images=2)


def _stored(folder, toy, name="other", **declared):
    Depth(tensor=toy.load(0).depth_m).save(folder / "out" / "000.npy")
    found = PredictionFolder(folder, task="depth", **declared)
    return StoredPredictions(name=name, folder=found)


def _one(entrants, toy, alignment=None):
    ((contender, (rules,)),) = entrants.on(toy, alignment)
    return contender, rules


def test_each_gets_the_rules_of_its_task(toy, tmp_path):
    entrants = Entrants(
        models=[Oracle(toy, "depth"), Oracle(toy, "normals")], stored=[_stored(tmp_path, toy)]
    )
    pairs = list(entrants.on(toy, None))
    assert [contender.name for contender, _ in pairs] == ["oracle-depth", "oracle-normals", "other"]
    assert [rules for _, rules in pairs] == [
        [toy.rules[task]] for task in ("depth", "normals", "depth")
    ]


def test_another_alignment_takes_the_place_of_the_rules_own(toy):
    _, rules = _one(Entrants(models=[Oracle(toy, "depth")]), toy, "robust-log")
    assert rules.alignment == "robust-log"
    assert rules.near_m == toy.rules["depth"].near_m


@pytest.mark.parametrize("alignment", ["none", "scale"])
def test_depth_known_up_to_scale_and_shift_has_no_metres(toy, alignment):
    with pytest.raises(
        SettingError, match=f"align {alignment}: .* oracle-depth .* scale and shift"
    ):
        _one(Entrants(models=[Oracle(toy, "depth")]), toy, alignment)


def test_metric_predictions_may_stand_as_they_are_where_the_truth_has_metres(toy, tmp_path):
    metric = Entrants(stored=[_stored(tmp_path, toy, invariance="affine")])
    with pytest.raises(SettingError, match="align none"):
        _one(metric, toy, "none")


def test_truth_up_to_scale_asks_for_a_scale(toy, monkeypatch):
    monkeypatch.setattr(Toy, "scale_is_known", False, raising=False)
    with pytest.raises(SettingError, match="align scale"):
        _one(Entrants(models=[Oracle(toy, "depth")]), toy, "none")


def test_a_joint_model_comes_once_with_the_rules_of_both_tasks(toy):
    joint = Oracle(toy, "geometry")
    ((contender, rules),) = Entrants(models=[joint]).on(toy, "robust-log")
    assert contender.tasks == ("depth", "normals")
    assert [one.as_dict().get("alignment") for one in rules] == ["robust-log", None]
    ((contender, (rules,)),) = Entrants(models=[joint], task="normals").on(toy, None)
    assert (contender.tasks, rules) == (("normals",), toy.rules["normals"])


def test_where_the_tasks_show_images_differently_a_joint_model_comes_twice(toy, monkeypatch):
    other = dict(toy.rules) | {"normals": NormalsRules(protocol="p", input=Input(resolution=9))}
    monkeypatch.setattr(Toy, "rules", other)
    pairs = list(Entrants(models=[Oracle(toy, "geometry")]).on(toy, None))
    assert [(one.tasks, one.inference.resolution) for one, _ in pairs] == [
        (("depth",), 0),
        (("normals",), 9),
    ]
    stems = [
        one.stem
        for one in places.places(
            toy, Entrants(models=[Oracle(toy, "geometry")]), label="", alignment=None
        )
    ]
    assert stems == ["toy-depth", "toy-normals"]


@pytest.mark.parametrize("task", ["depth", "normals"])
def test_a_task_that_the_truth_cannot_judge_is_refused(task):
    other = "normals" if task == "depth" else "depth"
    toy = Toy(images=1, tasks=(other,))
    with pytest.raises(SettingError, match=f"predicts {task}, but toy can judge {other} only"):
        _one(Entrants(models=[Oracle(toy, task)]), toy)


def test_nobody_and_two_of_one_name_are_refused(toy, tmp_path):
    with pytest.raises(SettingError, match="--model or a folder of --predictions"):
        Entrants()
    with pytest.raises(SettingError, match="NAME=DIR"):
        Entrants(models=[Oracle(toy, "depth", name="other")], stored=[_stored(tmp_path, toy)])
    with pytest.raises(SettingError, match=r"a b and a-b: .*a-b\.json"):
        Entrants(models=[Oracle(toy, "depth", name=name) for name in ("a b", "a-b")])


def test_a_folder_of_other_images_is_refused(toy, tmp_path):
    stored = _stored(tmp_path, toy)
    (tmp_path / "out" / "000.npy").rename(tmp_path / "out" / "else.npy")
    with pytest.raises(InputError, match="none of the 2 images"):
        _one(Entrants(stored=[stored]), toy)
