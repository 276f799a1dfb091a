import dataclasses

import paired_joint
import pytest
import torch

from monostep.errors import SettingError
from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.recipes.geometry import geowizard_e2e
from monostep.training.batch import Batch
from monostep.training.geometry_task import GeometryTask
from monostep.training.map_loss import depth_loss, normals_loss
from monostep.training.task import Task


def _task(model=None, *, frame="opencv", **settings):
    config = dataclasses.replace(geowizard_e2e(), clip_target=False, **settings)
    return GeometryTask(model or paired_joint.model(), config, frame=frame)


def _with(batch, **changes):
    return dataclasses.replace(batch, samples=dataclasses.replace(batch.samples, **changes))


def test_the_gradient_reaches_every_weight_that_learns_and_nothing_else():
    for eyes in (False, True):
        model = paired_joint.model()
        task = _task(model, noise="gaussian", train_image_encoder=eyes)
        assert isinstance(task, Task)
        task.loss(paired_joint.batch()).mean().backward()
        for name, parameter in task.trained.named_parameters():
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name
        reached = {name for name, p in model.named_parameters() if p.grad is not None}
        learns = ("unet.", "image_encoder.") if eyes else ("unet.",)
        assert reached == {n for n, _ in model.named_parameters() if n.startswith(learns)}


def test_the_loss_is_the_weighted_sum_of_both():
    model, batch = paired_joint.model(), paired_joint.batch()
    task = _task(model)
    depth, normals = task.maps(batch)
    parts = (
        depth_loss(depth, batch, task.config),
        normals_loss(normals, batch.samples, task.config, frame="opencv"),
    )
    assert all((part > 0.01).all() for part in parts)
    torch.testing.assert_close(task.loss(batch), 0.5 * parts[0] + 1.0 * parts[1])
    other = _task(model, depth_weight=2.0, normals_weight=0.25)
    torch.testing.assert_close(other.loss(batch), 2 * parts[0] + 0.25 * parts[1])


def test_no_image_sees_the_others_but_each_half_sees_the_other():
    task, batch = _task(noise="gaussian"), paired_joint.batch()
    together = task.maps(batch)
    for row in range(2):
        alone = task.maps(paired_joint.rows(batch, [row]))
        for whole, one in zip(together, alone, strict=True):
            torch.testing.assert_close(one[0], whole[row], rtol=1e-3, atol=1e-4)
    separate = _task(paired_joint.model(joint=False), noise="gaussian").maps(batch)
    for joint, other in zip(together, separate, strict=True):
        assert (joint - other).abs().max() > 1e-3 * joint.std()


def test_the_domain_reaches_the_network():
    task, batch = _task(), paired_joint.batch()
    maps = {}
    for domain in range(3):
        maps[domain] = task.maps(_with(batch, kind=torch.full((2,), domain)))
    for one, other in ((0, 1), (1, 2)):
        for half in range(2):
            assert (maps[one][half] - maps[other][half]).abs().max() > 1e-3


def test_the_halves_have_noise_of_their_own_that_the_image_decides():
    model = paired_joint.model()
    drawn = []
    output = model.output
    model.output = lambda x, z, t, **told: (drawn.append(z), output(x, z, t, **told))[1]
    task, batch = _task(model, noise="gaussian"), paired_joint.batch()
    task.loss(batch)
    depths, normals = drawn[0].chunk(2)
    assert (depths * normals).mean().abs() < 0.2 < 0.8 < depths.std()
    task.loss(paired_joint.rows(batch, [1]))
    assert torch.equal(drawn[1], torch.stack([depths[1], normals[1]]))
    torch.manual_seed(3)
    task.score(batch.samples)
    depths, normals = drawn[2].chunk(2)  # predictions begin with one draw for both
    assert torch.equal(depths, normals)
    assert torch.equal(depths[0], depths[1])
    task.score(batch.samples)
    assert torch.equal(drawn[3], drawn[2])


def test_normals_are_learned_in_the_networks_frame_and_told_in_opencvs():
    batch = paired_joint.batch()
    samples = batch.samples
    truth = {"opencv": samples.normals, "dsine": -samples.normals}
    for frame, normals in truth.items():
        task = _task(frame=frame)
        depth = samples.depth_m
        maps = (2 * depth / depth.amax() - 1, normals)
        task.maps = task.maps_to_score = lambda _, maps=maps: maps
        assert task.loss(batch).max() < 1e-4
        parts = task.parts(samples)
        assert parts["mean_angle_deg"].error.max() < 0.1
        assert parts["abs_rel"].error.max() < 1e-4
        assert torch.equal(task.predict(samples)[1], samples.normals)
    task = _task(quantity="disparity", align_from=0.1)
    task.maps_to_score = lambda _: (depth, samples.normals)
    assert torch.equal(task.predict(samples)[0], -depth)  # small where near, as all depth


def test_the_score_is_one_number_of_both():
    task, samples = _task(), paired_joint.batch().samples
    parts = task.parts(samples)
    assert set(parts) == {"abs_rel", "mean_angle_deg"}
    expected = parts["abs_rel"].error + parts["mean_angle_deg"].error / 100
    torch.testing.assert_close(task.score(samples), expected)
    means = {name: part.error.mean().item() for name, part in parts.items()}
    assert task.whole(means) == pytest.approx(expected.mean().item(), rel=1e-5)
    assert task.metric == "geometry_error"


@pytest.mark.parametrize("pool", ["image", "batch"])
def test_an_image_without_truth_has_no_loss_but_stays_connected(pool):
    task, batch = _task(pool=pool), paired_joint.batch()
    valid = batch.samples.valid.clone()
    valid[1] = False
    half = task.loss(_with(batch, valid=valid))
    assert half[1] == 0 < half[0]
    loss = task.loss(_with(batch, valid=torch.zeros_like(valid)))
    assert loss.tolist() == [0, 0]
    loss.mean().backward()
    assert all((p.grad == 0).all() for p in task.trained.parameters())


def test_without_normals_an_image_still_has_its_depth_loss():
    task, batch = _task(), paired_joint.batch()
    blind = _with(batch, normals=torch.zeros_like(batch.samples.normals))
    depth, _ = task.maps(blind)
    torch.testing.assert_close(task.loss(blind), 0.5 * depth_loss(depth, blind, task.config))


def test_the_decoder_learns_with_it_if_asked():
    model = paired_joint.model()
    task = _task(model, train_decoder=True, train_image_encoder=True)
    learns = {name.partition(".")[0] for name, _ in task.trained.named_parameters()}
    assert learns == {"unet", "decoder", "post_quant_conv", "image_encoder"}
    assert isinstance(model.vae, AutoencoderKL)
    assert not any(p.requires_grad for p in model.vae.encoder.parameters())


def test_what_hears_words_has_no_eyes_to_train():
    import joint_models

    model = joint_models.model(words=True)
    with pytest.raises(SettingError, match="looks at no image"):
        _task(model, train_image_encoder=True)
    task = _task(model)
    loss = task.loss(_small())
    loss.mean().backward()
    assert model.unet.class_embedding.linear_1.weight.grad.abs().sum() > 0


def _small():
    batch = paired_joint.batch()
    rows = slice(0, 16)
    cut = {name: getattr(batch.samples, name)[..., rows, :] for name in ("image", "normals")}
    cut |= {name: getattr(batch.samples, name)[:, rows] for name in ("depth_m", "valid", "sky")}
    return Batch(
        samples=dataclasses.replace(batch.samples, **cut),
        step=0,
        seeds=batch.seeds,
        names=batch.names,
    )
