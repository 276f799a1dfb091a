import dataclasses

import paired_models
import pytest
import torch
from diffusers_twin import diffusers
from paired_models import SCALE, assert_same_gradients, gradients

from monostep.checkpoints.card import Card
from monostep.recipes.marigold import latent_e2e
from monostep.training.beginning import Beginning
from monostep.training.latent_task import latent_task
from monostep.training.one_step import clean_latent
from monostep.training.truth_config import TruthConfig

CARDS = {
    "depth": Card(name="d", task="depth", quantity="depth", invariance="affine"),
    "normals": Card(name="n", task="normals", frame="dsine"),
}
TARGETS = {"velocity": "v_prediction", "epsilon": "epsilon", "sample": "sample"}


def _task(model, kind, **settings):
    depth = dataclasses.replace(latent_e2e(), sky_weight=TruthConfig.sky_weight)
    config = dataclasses.replace(depth, task=kind, **settings)
    return latent_task(Beginning(model=model, card=CARDS[kind]), config)


# laws


@pytest.mark.parametrize("kind", CARDS)
def test_the_gradient_reaches_the_unet_and_nothing_else(kind):
    model = paired_models.model()
    task = _task(model, kind, noise="gaussian")
    task.loss(paired_models.batch()).mean().backward()
    assert all(parameter.grad is None for parameter in model.vae.parameters())
    assert task.trained is model.unet
    for name, parameter in model.unet.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize("kind", CARDS)
def test_the_truth_itself_has_no_loss(kind):
    model = paired_models.model("sample")
    task = _task(model, kind)
    batch = paired_models.batch()
    truth, _ = task.truth(batch.samples)
    model.output = lambda _x, _z, _t: truth
    assert task.loss(batch).max() == 0


@pytest.mark.parametrize("kind", CARDS)
def test_no_image_sees_the_others(kind):
    task = _task(paired_models.model(), kind, noise="gaussian")
    batch = paired_models.batch()
    together = task.loss(batch)
    for row in range(2):
        alone = task.loss(paired_models.rows(batch, [row]))
        torch.testing.assert_close(alone[0], together[row], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", CARDS)
def test_it_scores_and_predicts_in_one_step_as_decoded_losses_do(kind):
    model = paired_models.model()
    task = _task(model, kind)
    samples = paired_models.batch().samples
    image = samples.image * 2 - 1
    torch.testing.assert_close(task.decoded_to_score(samples), model(image))
    assert task.score(samples).shape == (2,)
    assert task.metric == {"depth": "abs_rel", "normals": "mean_angle_deg"}[kind]


def test_half_precision_is_for_products_only():
    task = _task(paired_models.model(), "normals", noise="gaussian")
    batch = paired_models.batch()
    exact = task.loss(batch)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = task.loss(batch)
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, exact, rtol=0.02, atol=0)


# agreement


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("target", TARGETS)
def test_loss_and_every_gradient_are_those_of_a_plain_step(target, masked):
    ours, unet, vae = paired_models.pair(target)
    batch = paired_models.batch(dtype=torch.float64)
    task = _task(ours, "normals", masked=masked)
    loss = task.loss(batch).mean()
    loss.backward()
    samples = batch.samples
    lub = -samples.normals.double()
    facing = torch.tensor([0.0, 0.0, 1.0]).double()[:, None, None]
    truth = torch.where(samples.valid[:, None], lub, facing)
    z_x = SCALE * vae.encode(samples.image * 2 - 1).latent_dist.mean.detach()
    z_y = SCALE * vae.encode(truth).latent_dist.mean.detach()
    zeros = torch.zeros_like(z_x)
    context = ours.prompt[None].repeat(2, 1, 1)
    time = torch.tensor([999, 999])
    out = unet(torch.cat([z_x, zeros], dim=1), time, encoder_hidden_states=context).sample
    scheduler = diffusers.DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        prediction_type=TARGETS[target],
    )
    scheduler.set_timesteps(1)
    clean = scheduler.step(out, 999, zeros).pred_original_sample
    good = torch.ones(2, 12, 8, dtype=torch.bool)
    if masked:
        bad = torch.nn.functional.max_pool2d((~samples.valid[:, None]).float(), 2, 2)
        good = ~bad[:, 0].bool()
    errors = (clean - z_y).square().movedim(1, -1)
    plain = torch.stack([e[g].mean() for e, g in zip(errors, good, strict=True)]).mean()
    plain.backward()
    assert loss.item() == pytest.approx(plain.item(), rel=1e-5)
    assert_same_gradients(gradients(ours.unet), gradients(unet))
    noisy = torch.zeros_like(z_x)
    torch.testing.assert_close(clean_latent(ours, z_x, noisy), clean.detach(), rtol=1e-5, atol=1e-6)
