import joint_models
import marigold_folders
import pytest
import torch

from monostep import loading
from monostep.inspection import trajectory
from monostep.predictor import Predictor


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = marigold_folders.write(tmp_path_factory.mktemp("m") / "depth", "marigold-depth-v1-1")
    return loading.load(folder)


@pytest.fixture(scope="module")
def normals_model(tmp_path_factory):
    folder = marigold_folders.write(tmp_path_factory.mktemp("m") / "n", "marigold-normals-v1-1")
    return loading.load(folder)


def _picture(size=(40, 56)):
    return torch.rand(3, *size, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("which", ["model", "normals_model"])
def test_every_step_is_a_result_on_the_pictures_grid_and_the_last_is_the_prediction(which, request):
    model = request.getfixturevalue(which)
    how = model.inference(steps=4, resolution=0, last="clean")
    (followed,) = trajectory.follow(model, _picture(), how)
    assert followed.times == (999, 749, 499, 249)
    assert followed.spread.shape == (40, 56)
    for result in followed.results:
        assert result.tensor.shape[-2:] == (40, 56)
    (alone,) = model.predict([_picture()], how)
    torch.testing.assert_close(followed.results[-1].tensor, alone.tensor)


def test_numbers_of_a_known_trajectory(model):
    how = model.inference(steps=2, resolution=0)
    (followed,) = trajectory.follow(model, _picture(), how)
    first, last = (result.tensor for result in followed.results)
    numbers = followed.numbers()
    assert numbers["spread_over_steps"] == pytest.approx(float((first - last).abs().mean()) / 2)
    assert numbers["distance_to_last"] == pytest.approx([float((first - last).abs().mean()), 0])
    both = torch.stack([first.flatten(), last.flatten()])
    assert numbers["first_to_last_correlation"] == pytest.approx(
        float(torch.corrcoef(both)[0, 1]), abs=1e-5
    )


def test_one_step_has_no_spread_and_agrees_with_itself(normals_model):
    (followed,) = trajectory.follow(
        normals_model, _picture(), normals_model.inference(steps=1, resolution=0)
    )
    numbers = followed.numbers()
    assert numbers["unit"] == "degrees"
    assert numbers["spread_over_steps"] == pytest.approx(0, abs=1e-2)
    assert numbers["first_to_last_correlation"] == pytest.approx(1, abs=1e-6)


def test_an_ensemble_is_followed_by_its_first_member(model):
    (alone,) = trajectory.follow(model, _picture(), model.inference(steps=2, resolution=0))
    (first,) = trajectory.follow(
        model, _picture(), model.inference(steps=2, ensemble=3, resolution=0)
    )
    torch.testing.assert_close(first.results[-1].tensor, alone.results[-1].tensor)


def test_the_spacings_worth_comparing(model, tmp_path):
    lcm = loading.load(marigold_folders.write(tmp_path / "lcm", "marigold-lcm"))
    assert trajectory.spacings(model) == ("trailing", "leading")
    assert trajectory.spacings(lcm) == ("lcm",)


def test_a_joint_model_has_a_way_for_each_map_and_both_are_the_predictions():
    joint = Predictor(
        joint_models.model(), joint_models.CARD, device=torch.device("cpu"), dtype=torch.float32
    )
    how = joint.inference(steps=3, resolution=0, noise="gaussian", domain="outdoor")
    depth, normals = trajectory.follow(joint, _picture(), how)
    (alone,) = joint.predict([_picture()], how)
    torch.testing.assert_close(depth.results[-1].tensor, alone.depth.tensor)
    torch.testing.assert_close(normals.results[-1].tensor, alone.normals.tensor)
    assert depth.times == normals.times == (999, 666, 332)
    assert [depth.name, normals.name] == ["trailing.depth", "trailing.normals"]
    assert [each.numbers()["unit"] for each in (depth, normals)] == ["depth, 0 to 1", "degrees"]
    assert [each.numbers()["map"] for each in (depth, normals)] == ["depth", "normals"]
    assert min(float(each.spread.mean()) for each in (depth, normals)) > 0
