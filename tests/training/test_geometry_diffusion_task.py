import dataclasses

import paired_joint
import pytest
import torch

from monostep.errors import SettingError
from monostep.recipes.geometry import geowizard
from monostep.training.geometry_diffusion_task import GeometryDiffusionTask


def _task(model=None, **settings):
    config = dataclasses.replace(geowizard(), **settings)
    return GeometryDiffusionTask(model or paired_joint.model(), config, frame="opencv")


def _watched(task):
    """What the network is asked, and what it says."""
    asked = []
    said = task.model.said
    task.model.said = lambda x, z, t, **told: (asked.append((z, t)), said(x, z, t, **told))[1]
    return asked


def test_the_gradient_reaches_every_weight_of_the_unet_and_nothing_else():
    model = paired_joint.model()
    task = _task(model)
    task.loss(paired_joint.batch()).mean().backward()
    reached = {name for name, p in model.named_parameters() if p.grad is not None}
    assert reached == {name for name, _ in model.named_parameters() if name.startswith("unet.")}
    assert all(p.grad.isfinite().all() for p in model.unet.parameters())


def test_the_halves_share_the_timestep_and_not_the_noise():
    task, batch = _task(), paired_joint.batch()
    asked = _watched(task)
    task.loss(batch)
    noisy, time = asked[0]
    assert torch.equal(time[:2], time[2:])
    assert time[0] != time[1]
    clean = torch.cat([latent for latent, _ in task.truths(batch.samples)])
    alpha_bar = task.model.schedule.alpha_bar[time][:, None, None, None]
    noise = (noisy - alpha_bar.sqrt() * clean) / (1 - alpha_bar).sqrt()
    depths, normals = noise.chunk(2)
    assert (depths * normals).mean().abs() < 0.2 < 0.8 < depths.std()


def test_an_exact_network_has_no_loss_and_each_half_its_weight():
    batch = paired_joint.batch()
    found = {}
    for weights in ((0.5, 0.5), (1.0, 0.25)):
        task = _task(depth_weight=weights[0], normals_weight=weights[1])
        schedule = task.model.schedule
        clean = torch.cat([latent for latent, _ in task.truths(batch.samples)])

        def off(errors, schedule=schedule, clean=clean):
            def say(_, noisy, time, **__):
                alpha_bar = schedule.alpha_bar[time][:, None, None, None]
                noise = (noisy - alpha_bar.sqrt() * clean) / (1 - alpha_bar).sqrt()
                exact = alpha_bar.sqrt() * noise - (1 - alpha_bar).sqrt() * clean
                return exact + torch.tensor(errors).repeat_interleave(2)[:, None, None, None]

            return say

        task.model.said = off((0.0, 0.0))
        assert task.loss(batch).max() < 1e-8
        task.model.said = off((1.0, 3.0))
        found[weights] = task.loss(batch)
    torch.testing.assert_close(found[0.5, 0.5], torch.full((2,), 0.5 * 1 + 0.5 * 9))
    torch.testing.assert_close(found[1.0, 0.25], torch.full((2,), 1.0 + 0.25 * 9))


def test_seeds_decide_everything_and_no_image_sees_the_others():
    task, batch = _task(jitter=1.0), paired_joint.batch()
    together = task.loss(batch)
    torch.manual_seed(2)
    assert torch.equal(task.loss(batch), together)
    for row in range(2):
        alone = task.loss(paired_joint.rows(batch, [row]))
        torch.testing.assert_close(alone[0], together[row], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("masked", [True, False])
def test_an_image_without_truth_has_no_loss_but_stays_connected(masked):
    task, batch = _task(masked=masked), paired_joint.batch()
    loss = task.loss(_with(batch, valid=torch.zeros_like(batch.samples.valid)))
    assert loss.tolist() == [0, 0]
    loss.mean().backward()
    assert all((p.grad == 0).all() for p in task.trained.parameters())


@pytest.mark.parametrize("masked", [True, False])
def test_a_half_whose_truth_is_not_known_has_no_weight(masked):
    task, batch = _task(masked=masked), paired_joint.batch()
    normals = batch.samples.normals.clone()
    normals[0] = 0
    (_, depths), (_, found) = task.truths(_with(batch, normals=normals).samples)
    (_, before), (_, both) = task.truths(batch.samples)
    assert (found[0] == 0).all()
    assert torch.equal(found[1], both[1])
    assert torch.equal(depths, before)
    assert masked or (both == 1).all()


def _with(batch, **changes):
    return dataclasses.replace(batch, samples=dataclasses.replace(batch.samples, **changes))


@pytest.mark.parametrize("steps", [1, 3])
def test_the_score_is_of_the_prediction_that_the_card_asks_for(steps):
    task = _task(validation_steps=steps)
    asked = _watched(task)
    samples = paired_joint.batch().samples
    parts = task.parts(samples)
    assert [time.unique().tolist() for _, time in asked] == [[t] for t in (999, 666, 332)][:steps]
    first = asked[0][0]
    assert all(torch.equal(first[0], other) for other in first)  # one draw for all
    assert torch.equal(task.score(samples), task.whole({k: p.error for k, p in parts.items()}))
    with pytest.raises(SettingError, match="steps 1001"):
        _task(validation_steps=1001)


def test_the_schedule_loses_its_last_signal_if_asked():
    task = _task(zero_snr=True)
    assert task.model.schedule.alpha_bar[-1] == 0
