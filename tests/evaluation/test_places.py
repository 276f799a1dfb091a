import dataclasses

import pytest
from toy_benchmark import Oracle, Toy

from monostep.errors import SettingError
from monostep.evaluation import places
from monostep.evaluation.entrants import Entrants
from monostep.evaluation.predictions.folder import PredictionFolder
from monostep.evaluation.stored import StoredPredictions
from monostep.geometry.depth import Depth
from monostep.geometry.normals import Normals


def _found(toy, *models, label="", **more):
    entrants = Entrants(models=models, **more)
    return places.places(toy, entrants, label=label, alignment=None)


@pytest.fixture
def toy():
    return Toy(images=1)


def test_a_report_is_named_by_what_tells_it_from_others(toy):
    depth, joint = Oracle(toy, "depth"), Oracle(toy, "geometry")
    assert [one.stem for one in _found(toy, depth)] == ["toy"]
    assert [one.stem for one in _found(toy, joint)] == ["toy-depth", "toy-normals"]
    assert [one.stem for one in _found(toy, joint, depth, label="p")] == [
        "toy-p-oracle-geometry-depth",
        "toy-p-oracle-geometry-normals",
        "toy-p-oracle-depth",
    ]


def test_either_map_of_a_joint_model_has_the_same_file_judged_alone_or_read_again(toy, tmp_path):
    joint, only = Oracle(toy, "geometry"), Toy(images=1, tasks=("depth",))
    truth = toy.load(0)
    Depth(tensor=truth.depth_m).save(tmp_path / "out" / "000.depth.npy")
    Normals(tensor=truth.normals).save(tmp_path / "out" / "000.normals.npy")
    for task in ("depth", "normals"):
        folder = PredictionFolder(tmp_path, task=task)
        stored = [StoredPredictions(name="kept", folder=folder)]
        assert [one.stem for one in _found(toy, joint, task=task)] == [f"toy-{task}"]
        assert [one.stem for one in _found(toy, stored=stored)] == [f"toy-{task}"]
        if task == "depth":
            assert [one.stem for one in _found(only, stored=stored)] == ["toy"]
    (one,) = _found(only, joint)
    assert (one.stem, one.rules, one.contender.tasks) == ("toy", only.rules["depth"], ("depth",))


def test_reports_of_one_benchmark_that_would_share_a_file_are_refused(toy):
    joint, plain = Oracle(toy, "geometry", name="a"), Oracle(toy, "depth", name="a-depth")
    with pytest.raises(SettingError, match=r"a on toy and a-depth on toy: .*toy-a-depth\.json"):
        _found(toy, joint, plain)


def test_the_maps_of_a_joint_model_are_one_contenders(toy):
    found = _found(toy, Oracle(toy, "geometry"), Oracle(toy, "depth"))
    joint, depth = places.by_contender(found).values()
    assert (list(joint), list(depth)) == ([0, 1], [2])


def test_only_angles_that_the_rules_pool_are_pooled():
    toy = Toy(images=1, pooled=True)
    assert [one.is_pooled for one in _found(toy, Oracle(toy, "geometry"))] == [False, True]


@pytest.mark.parametrize("asked", [{"domain": "outdoor"}, {"seed": 1}])
def test_lines_depend_on_what_the_model_is_told(toy, asked):
    joint = Oracle(toy, "geometry")
    plain, other = _found(toy, joint)[0], _found(toy, joint, asked=asked)[0]
    assert places.key(toy, plain, beside=False) != places.key(toy, other, beside=False)
    assert places.key(toy, plain, beside=False) != places.key(toy, plain, beside=True)


def test_lines_depend_on_the_attention(toy):
    keys = []
    for attention in ("joint", "separate"):
        joint = Oracle(toy, "geometry")
        joint.card = dataclasses.replace(joint.card, attention=attention)
        keys.append(places.key(toy, _found(toy, joint)[0], beside=False))
    assert keys[0] != keys[1]
