"""The tasks' tests go through these; here is what they have in common."""

import dataclasses

import paired_models
import pytest
import torch

from monostep.recipes import recipe
from monostep.training.map_loss import (
    depth_error,
    depth_loss,
    known,
    normals_error,
    normals_loss,
)


def _depth(**settings):
    return dataclasses.replace(recipe("sd-e2e-depth"), align_from=0.0, **settings)


@pytest.fixture(scope="module")
def batch():
    return paired_models.batch()


def test_an_affine_map_of_the_truth_has_no_loss_and_no_error(batch):
    samples, config = batch.samples, _depth(clip_target=False)
    predicted = 0.1 * samples.depth_m - 0.7
    assert depth_loss(predicted, batch, config).max() < 1e-4
    assert depth_error(predicted, samples, config).error.max() < 1e-5
    assert depth_loss(predicted.square(), batch, config).min() > 0.01


def test_the_gradient_loss_comes_with_its_weight(batch):
    predicted = batch.samples.depth_m.square() / 100
    none, half, one = (
        depth_loss(predicted, batch, _depth(gradient_weight=w)) for w in (0.0, 0.5, 1.0)
    )
    torch.testing.assert_close(half - none, (one - none) / 2)
    assert (one > none).all()


@pytest.mark.parametrize("frame", ["opencv", "opengl", "dsine"])
def test_normals_are_compared_in_the_networks_frame(batch, frame):
    signs = {"opencv": (1, 1, 1), "opengl": (1, -1, -1), "dsine": (-1, -1, -1)}[frame]
    predicted = batch.samples.normals * torch.tensor(signs)[:, None, None]
    config = recipe("sd-e2e-normals")
    assert normals_loss(predicted, batch.samples, config, frame=frame).max() < 1e-4
    assert normals_error(predicted, batch.samples, frame=frame).error.max() < 0.1
    turned = normals_loss(-predicted, batch.samples, config, frame=frame)
    torch.testing.assert_close(turned, torch.full((2,), torch.pi))


def test_images_that_tell_nothing_of_a_map_are_named(batch):
    normals, depth = batch.samples.normals.clone(), batch.samples.depth_m.clone()
    normals[0], depth[1] = 0, 100.0
    partly = dataclasses.replace(batch.samples, normals=normals, depth_m=depth)
    assert depth_error(depth, partly, _depth()).told.tolist() == [True, False]
    assert normals_error(normals, partly, frame="opencv").told.tolist() == [False, True]


def test_what_is_known_of_normals_is_valid_and_not_zero(batch):
    normals = batch.samples.normals.clone()
    normals[:, :, :4] = 0
    found = known(dataclasses.replace(batch.samples, normals=normals)).bool()
    assert torch.equal(found[:, 4:], batch.samples.valid[:, 4:])
    assert not found[:, :4].any()
