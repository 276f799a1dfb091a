import pytest
import torch
from toy_benchmark import Toy

from monostep.errors import MissingExtraError
from monostep.evaluation.baselines import Baselines
from monostep.evaluation.predictions.folder import PredictionFolder
from monostep.evaluation.prepare import Preparation, Seat
from monostep.evaluation.scores import EMPTY, MODEL
from monostep.evaluation.stored import StoredPredictions
from monostep.geometry.depth import Depth


@pytest.fixture
def stored(tmp_path):
    toy = Toy()
    for index in range(3):
        path = tmp_path / toy.names[index].replace(".png", ".depth.npy")
        Depth(tensor=toy.load(index).depth_m / 6).save(path)
    folder = StoredPredictions(name="other", folder=PredictionFolder(tmp_path, task="depth"))
    return folder.on(toy)


def _preparation(toy, *seats, baselines=None, wanted=None):
    chosen = {k: Seat(rules=toy.rules["depth"], stored=one) for k, one in enumerate(seats)}
    everybody = tuple(chosen)
    return Preparation(
        benchmark=toy,
        seats=chosen,
        baselines=baselines,
        wanted=wanted or dict.fromkeys(range(toy.images), everybody),
    )


def test_a_model_gets_the_case_and_a_folder_its_score(stored):
    prepared = _preparation(Toy(), None, stored)[0]
    assert prepared.case.image is not None
    assert list(prepared.scored) == [1]
    assert prepared.scored[1].line.scores[MODEL]["abs_rel"] < 1e-5


def test_without_models_no_image_is_decoded_and_no_case_handed_on(stored):
    asked = []

    class Watched(Toy):
        def load(self, index, *, image=True):
            asked.append(image)
            return super().load(index, image=image)

    prepared = _preparation(Watched(), stored)[0]
    assert asked == [False]
    assert prepared.case is None


def test_every_problem_is_said_for_all_who_wait(stored):
    toy = Toy(broken=(1,), empty=(2,))
    preparation = _preparation(toy, None, stored)
    for index, words in ((1, "planted damage"), (2, EMPTY)):
        prepared = preparation[index]
        assert prepared.case is None
        assert [words in prepared.scored[k].line.problem for k in (0, 1)] == [True, True]
    missing = preparation[4]
    assert "004" in missing.scored[1].line.problem
    assert missing.case is not None
    assert preparation[1].scored[0].line.stratum == ""


def test_baselines_are_judged_once_and_stand_beside_everybody(stored, monkeypatch):
    from monostep.evaluation import prepare

    calls = []
    plain = prepare.judge_baselines
    monkeypatch.setattr(
        prepare, "judge_baselines", lambda *every: calls.append(every) or plain(*every)
    )
    prepared = _preparation(Toy(), None, stored, baselines=Baselines())[0]
    assert len(calls) == 1
    assert set(prepared.rivals[0]) == {"constant", "row"}
    assert set(prepared.scored[1].line.scores) == {MODEL, "constant", "row"}


def test_only_those_who_want_an_image_get_it(stored):
    preparation = _preparation(Toy(), None, stored, wanted={0: (1,), 3: (0,)})
    assert len(preparation) == 2
    assert preparation[0].case is None
    assert preparation[3].case is not None
    assert preparation[3].scored == {}


def test_a_missing_package_stops_the_run(stored, monkeypatch):
    def lacks(*_, **__):
        raise MissingExtraError("no OpenEXR")

    monkeypatch.setattr(Toy, "load", lacks)
    with pytest.raises(MissingExtraError):
        _preparation(Toy(), stored)[0]


def test_a_prediction_of_another_size_is_a_problem(tmp_path):
    toy = Toy(images=1)
    Depth(tensor=torch.rand(5, 6)).save(tmp_path / "000.depth.npy")
    folder = StoredPredictions(name="other", folder=PredictionFolder(tmp_path, task="depth"))
    line = _preparation(toy, folder.on(toy))[0].scored[0].line
    assert "6" in line.problem
    assert "24" in line.problem
