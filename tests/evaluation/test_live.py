from dataclasses import replace

import pytest
import tiny_models
import torch
from toy_benchmark import Oracle, Toy

from monostep import loading
from monostep.errors import SettingError
from monostep.evaluation.live import LiveModel, as_prediction
from monostep.evaluation.rules import BY_IMAGE, Input
from monostep.geometry.depth import Depth
from monostep.geometry.normals import Normals


@pytest.fixture
def toy():
    return Toy(images=4)


def _live(model, shown=None, batch_size=0, **asked):
    return LiveModel(model, shown or Input(), asked, batch_size=batch_size)


def test_what_is_asked_goes_before_the_rules_and_these_before_the_card(toy):
    model = Oracle(toy, "depth")
    ruled = Input(resolution=756, fit="reference")
    assert _live(model).inference.resolution == 0
    assert _live(model).inference.fit == "pad"
    assert _live(model, ruled).inference.resolution == 756
    assert _live(model, ruled).inference.fit == "reference"
    asked = _live(model, ruled, resolution=64, fit=None, seed=3).inference
    assert (asked.resolution, asked.fit, asked.seed) == (64, "reference", 3)


def test_a_setting_that_a_model_cannot_have_names_the_model(toy):
    with pytest.raises(SettingError, match="oracle-depth: noise 'brown'"):
        _live(Oracle(toy, "depth"), noise="brown")


def test_results_come_in_order(toy):
    model = Oracle(toy, "depth")
    cases = [toy.load(index) for index in (2, 0, 1)]
    results = _live(model, batch_size=3).predict(cases)
    assert model.groups == [[2, 0, 1]]
    for index, result in zip((2, 0, 1), results, strict=True):
        torch.testing.assert_close(result.tensor * 6, toy.load(index).depth_m, atol=0.1, rtol=0)


def test_an_image_that_fails_does_not_take_the_others_along(toy):
    model = Oracle(toy, "depth", fails=(1,))
    results = _live(model, batch_size=3).predict([toy.load(k) for k in (0, 1, 2)])
    assert [isinstance(one, Depth) for one in results] == [True, False, True]
    assert "not finite" in results[1]


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("CUDA out of memory")])
def test_an_image_that_does_not_fit_into_memory_is_named(toy, monkeypatch, error):
    def fails(*_, **__):
        raise error

    model = Oracle(toy, "depth")
    monkeypatch.setattr(model, "predict", fails)
    (result,) = _live(model).predict([toy.load(0)])
    assert "--resolution" in result


def test_other_errors_are_not_hidden(toy, monkeypatch):
    def fails(*_, **__):
        raise RuntimeError("a shape does not fit")

    model = Oracle(toy, "depth")
    monkeypatch.setattr(model, "predict", fails)
    with pytest.raises(RuntimeError, match="shape"):
        _live(model).predict([toy.load(0)])


def test_it_says_all_that_decides_its_maps(tmp_path):
    model = loading.load(tiny_models.depth_folder(tmp_path / "m"), dtype="fp32")
    about = _live(model, seed=7).about()
    assert about["model"] == "tiny-depth"
    assert len(about["weights_sha256"]) == 64
    settings = about["settings"]
    assert settings["inference"]["seed"] == 7
    assert settings["dtype"] == "float32"
    assert settings["quantity"] == "depth"
    assert settings["device"] == "cpu"
    assert about == _live(model, seed=7).about() != _live(model, seed=8).about()


def test_members_of_an_ensemble_go_alone(toy):
    model = Oracle(toy, "depth")
    assert _live(model, batch_size=5).at_once == 5
    assert _live(model, batch_size=5, ensemble=2, noise="gaussian").at_once == 1


@pytest.fixture
def joint(toy):
    return Oracle(toy, "geometry")


def test_a_joint_model_is_told_what_is_asked_before_the_rules_and_these_before_the_card(joint):
    assert _live(joint).inference.domain == "indoor"
    assert _live(joint, Input(domain="outdoor")).inference.domain == "outdoor"
    assert _live(joint, Input(domain="outdoor"), domain="object").inference.domain == "object"
    asked = _live(joint, Input(domain=BY_IMAGE), domain="object").about()
    assert asked["settings"]["inference"]["domain"] == "object"


def test_a_plain_model_is_told_nothing_by_the_rules_and_asked_in_vain(toy):
    model = Oracle(toy, "depth")
    settings = _live(model, Input(domain="outdoor")).about()["settings"]
    assert "domain" not in settings["inference"]
    assert "attention" not in settings
    with pytest.raises(SettingError, match="oracle-depth: domain 'outdoor'"):
        _live(model, domain="outdoor")


def test_where_images_are_of_several_domains_each_is_told_its_own(toy, joint):
    live = _live(joint, Input(domain=BY_IMAGE), batch_size=4)
    results = live.predict([toy.load(k) for k in (0, 1, 2, 3)])
    assert joint.groups == [[0, 2], [1, 3]]
    assert joint.told == {0: "outdoor", 1: "indoor", 2: "outdoor", 3: "indoor"}
    for index, result in enumerate(results):
        depth_m = as_prediction(result, "depth").values * 6
        torch.testing.assert_close(depth_m, toy.load(index).depth_m, atol=0.1, rtol=0)
    assert live.about()["settings"]["inference"]["domain"] == BY_IMAGE


def test_an_image_of_unknown_domain_is_told_the_cards(toy, joint):
    live = _live(joint, Input(domain=BY_IMAGE))
    live.predict([replace(toy.load(0), domain=None)])
    assert joint.told == {0: "indoor"}


def test_the_judge_gets_of_a_joint_result_the_map_of_the_task(toy, joint):
    (result,) = _live(joint).predict([toy.load(0)])
    normals = as_prediction(result, "normals").values
    torch.testing.assert_close(normals, toy.load(0).normals, atol=1e-2, rtol=0)
    assert as_prediction(result, "depth").values.ndim == 2
    assert _live(joint).tasks == ("depth", "normals")


def test_the_judge_gets_normals_in_opencvs_frame_and_depth_with_its_quantity():
    values = torch.nn.functional.normalize(torch.randn(3, 4, 5), dim=0)
    turned = Normals(tensor=values).to("opengl")
    torch.testing.assert_close(as_prediction(turned, "normals").values, values)
    disparity = Depth(tensor=values[0], quantity="disparity")
    assert as_prediction(disparity, "depth").quantity == "disparity"
