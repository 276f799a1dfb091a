import dataclasses

import paired_models
import pytest
import torch

from monostep.errors import TrainingError
from monostep.geometry.quantity import INVERSE
from monostep.recipes.marigold import marigold_depth
from monostep.training.target_latent import (
    cells,
    depth_picture,
    mean_of_cells,
    normals_picture,
)


@pytest.fixture
def samples():
    return paired_models.batch().samples


# laws of the mask


def test_one_bad_pixel_takes_one_cell_away():
    weight = torch.ones(1, 24, 16)
    weight[0, 7, 5] = 0
    found = cells(weight, torch.zeros(1, 4, 6, 4))
    assert found.sum() == 6 * 4 - 1
    assert found[0, 1, 1] == 0


def test_all_channels_of_a_cell_count_or_none():
    error = torch.rand(1, 4, 6, 4, dtype=torch.float64, requires_grad=True)
    weight = torch.ones(1, 6, 4, dtype=torch.float64)
    weight[0, 1, 1] = 0
    mean_of_cells(error, weight, pool="image").sum().backward()
    assert (error.grad[:, :, 1, 1] == 0).all()
    assert (error.grad == 0).sum() == 4
    torch.testing.assert_close(error.grad.max(), torch.tensor(1 / (23 * 4)).double())


def test_a_cell_is_trusted_as_its_least_pixel():
    weight = torch.ones(1, 4, 4)
    weight[0, 0, 1], weight[0, 3, 3] = 0.25, 0.5
    assert cells(weight, torch.zeros(1, 4, 2, 2)).tolist() == [[[0.25, 1], [1, 0.5]]]


def test_pooled_shares_have_the_mean_of_all_cells(samples):
    generator = torch.Generator().manual_seed(0)
    error = torch.rand(2, 4, 12, 8, generator=generator)
    weight = cells(samples.valid.float(), error)
    assert weight[0].sum() != weight[1].sum()
    pooled = mean_of_cells(error, weight, pool="batch").mean()
    torch.testing.assert_close(pooled, error.movedim(1, -1)[weight > 0].mean())
    ones = torch.ones_like(weight)
    torch.testing.assert_close(
        mean_of_cells(error, ones, pool="batch"), mean_of_cells(error, ones, pool="image")
    )


def test_an_image_without_truth_has_no_loss_and_no_gradient():
    error = torch.rand(2, 4, 3, 3, requires_grad=True)
    weight = torch.stack([torch.zeros(3, 3), torch.ones(3, 3)])
    for pool in ("image", "batch"):
        loss = mean_of_cells(error, weight, pool=pool)
        assert loss[0] == 0
        assert loss.requires_grad
    loss.sum().backward()
    assert (error.grad[0] == 0).all()


def test_pictures_of_broken_blocks_are_refused():
    with pytest.raises(TrainingError, match=r"25x16 pixels.*12x8 cells"):
        cells(torch.ones(1, 25, 16), torch.zeros(1, 4, 12, 8))


# what is painted


def test_depth_is_painted_between_its_quantiles_in_three_equal_channels(samples):
    painted, weight = depth_picture(samples, marigold_depth())
    assert torch.equal(weight > 0, samples.valid)
    assert torch.equal(painted[:, 0], painted[:, 1])
    assert torch.equal(painted[:, 0], painted[:, 2])
    assert (painted[:, 0][~samples.valid] == -1).all()  # as a depth of 0 becomes in the reference
    for row in range(2):
        depth_m = samples.depth_m[row][samples.valid[row]]
        low, high = torch.quantile(depth_m, torch.tensor([0.02, 0.98]))
        expected = ((depth_m - low) / (high - low) * 2 - 1).clamp(-1, 1)
        found = painted[row, 0][samples.valid[row]]
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_depth_is_painted_alike_at_any_scale(samples):
    config = dataclasses.replace(marigold_depth(), far_m=1e9)
    scaled = dataclasses.replace(samples, depth_m=samples.depth_m * 37)
    torch.testing.assert_close(
        depth_picture(scaled, config)[0], depth_picture(samples, config)[0], rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("quantity", ["depth", "disparity", "sqrt_disparity", "log_depth"])
@pytest.mark.parametrize(("holes", "near"), [("near", True), ("far", False), ("middle", None)])
def test_holes_are_painted_as_said_in_every_quantity(quantity, holes, near, samples):
    config = dataclasses.replace(marigold_depth(), quantity=quantity, holes=holes)
    painted, _ = depth_picture(samples, config)
    nearest = samples.depth_m[0][samples.valid[0]].argmin()
    end = painted[0, 0][samples.valid[0]][nearest]
    assert end == (1 if quantity in INVERSE else -1)
    found = painted[:, 0][~samples.valid]
    assert (found == (0 if near is None else end if near else -end)).all()


@pytest.mark.parametrize(
    ("frame", "facing"), [("opencv", -1), ("opengl", 1), ("dsine", 1), ("directx", 1)]
)
def test_normals_are_painted_in_the_networks_frame(frame, facing, samples):
    painted, weight = normals_picture(samples, frame)
    assert torch.equal(weight > 0, samples.valid)
    holes = painted.movedim(1, -1)[~samples.valid]
    torch.testing.assert_close(holes, torch.tensor([0.0, 0.0, facing]).expand_as(holes))
    torch.testing.assert_close(painted.norm(dim=1), torch.ones(2, 24, 16))
    if frame == "opencv":
        assert torch.equal(painted.movedim(1, -1)[samples.valid], _valid(samples))


def _valid(samples):
    return samples.normals.movedim(1, -1)[samples.valid]


def test_confidence_weighs(samples):
    confidence = torch.rand(2, 24, 16, generator=torch.Generator().manual_seed(0))
    trusted = dataclasses.replace(samples, confidence=confidence)
    for painted in (depth_picture(trusted, marigold_depth()), normals_picture(trusted, "opengl")):
        torch.testing.assert_close(painted[1], confidence * samples.valid)


@pytest.mark.parametrize(("quantity", "far"), [("depth", 1.0), ("disparity", -1.0)])
def test_what_is_far_is_painted_far_though_it_does_not_count(quantity, far, samples):
    config = dataclasses.replace(marigold_depth(), quantity=quantity, far_m=5.0, holes="near")
    depth = torch.linspace(1, 4, samples.depth_m[0].numel()).view_as(samples.depth_m[0])
    depth[0, 0] = 100.0
    valid, sky = torch.ones_like(depth, dtype=torch.bool), torch.zeros_like(depth, dtype=torch.bool)
    sky[0, 1], valid[0, 1], valid[0, 2] = True, False, False
    one = dataclasses.replace(
        samples,
        depth_m=depth.expand(2, -1, -1),
        valid=valid.expand(2, -1, -1),
        sky=sky.expand(2, -1, -1),
    )
    painted, weight = depth_picture(one, config)
    assert painted[0, 0, 0, :3].tolist() == [far, far, -far]
    assert weight[0, 0, :3].tolist() == [0, 0, 0]
