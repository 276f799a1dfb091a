import dataclasses
from functools import partial

import paired_models
import pytest
import torch
from diffusers_twin import diffusers
from paired_models import SCALE, SEEDS, assert_same_gradients, gradients

from monostep.checkpoints.card import Card
from monostep.diffusion.schedule import Schedule, scaled_linear, zero_terminal_snr
from monostep.errors import SettingError
from monostep.recipes.marigold import marigold_depth
from monostep.training.beginning import Beginning
from monostep.training.diffusion_task import diffusion_task, without_signal
from monostep.training.truth_config import TruthConfig

CARDS = {
    "depth": Card(name="d", task="depth", quantity="depth", invariance="affine"),
    "normals": Card(name="n", task="normals", frame="opengl"),
}
TARGETS = {"velocity": "v_prediction", "epsilon": "epsilon", "sample": "sample"}
LATENT = torch.zeros(1, 4, 12, 8)


def _task(model, kind="depth", **settings):
    depth = dataclasses.replace(marigold_depth(), sky_weight=TruthConfig.sky_weight)
    config = dataclasses.replace(depth, task=kind, **settings)
    return diffusion_task(Beginning(model=model, card=CARDS[kind]), config)


# laws


@pytest.mark.parametrize("kind", CARDS)
def test_the_gradient_reaches_every_weight_of_the_unet_and_nothing_else(kind):
    model = paired_models.model()
    task = _task(model, kind)
    task.loss(paired_models.batch()).mean().backward()
    assert all(parameter.grad is None for parameter in model.vae.parameters())
    assert task.trained is model.unet
    for name, parameter in model.unet.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
    gradient = model.unet.conv_in.weight.grad
    assert (gradient[:, :4].abs().sum(), gradient[:, 4:].abs().sum()) > (0, 0)


@pytest.mark.parametrize("target", TARGETS)
def test_an_exact_network_has_no_loss(target):
    model = paired_models.model(target)
    task = _task(model)
    batch = paired_models.batch()
    clean, _ = task.truth(batch.samples)

    def exact(seen, time, _prompt):
        alpha_bar = model.schedule.alpha_bar[time][:, None, None, None]
        noise = (seen[:, 4:] - alpha_bar.sqrt() * clean) / (1 - alpha_bar).sqrt()
        if target == "velocity":
            return alpha_bar.sqrt() * noise - (1 - alpha_bar).sqrt() * clean
        return noise if target == "epsilon" else clean

    model.unet.forward = exact
    assert task.loss(batch).max() < 1e-8


def test_seeds_decide_everything():
    task = _task(paired_models.model(), jitter=1.0)
    torch.manual_seed(1)
    loss = task.loss(paired_models.batch())
    torch.manual_seed(2)
    assert torch.equal(task.loss(paired_models.batch()), loss)
    assert not torch.equal(task.loss(paired_models.batch(seeds=(11, 13))), loss)


def test_no_image_sees_the_others():
    task = _task(paired_models.model())
    batch = paired_models.batch()
    together = task.loss(batch)
    for row in range(2):
        alone = task.loss(paired_models.rows(batch, [row]))
        torch.testing.assert_close(alone[0], together[row], rtol=1e-4, atol=1e-6)


def test_augmentation_changes_what_is_seen_and_not_what_is_learned():
    model, batch = paired_models.model(), paired_models.batch()
    still, changed = _task(model), _task(model, jitter=1.0)
    assert torch.equal(still.truth(batch.samples)[0], changed.truth(batch.samples)[0])
    assert not torch.equal(still.loss(batch), changed.loss(batch))


def test_the_schedule_loses_its_last_signal_once_if_asked():
    plain, ended = paired_models.model(), paired_models.model()
    _task(plain)
    _task(ended, zero_snr=True)
    assert torch.equal(plain.schedule.alpha_bar, scaled_linear())
    assert torch.equal(ended.schedule.alpha_bar, zero_terminal_snr(scaled_linear()))
    _task(ended, zero_snr=True)
    assert torch.equal(ended.schedule.alpha_bar, zero_terminal_snr(scaled_linear()))
    epsilon = Schedule(alpha_bar=scaled_linear(), target="epsilon")
    with pytest.raises(SettingError, match="predicts epsilon"):
        without_signal(epsilon)


@pytest.mark.parametrize("kind", CARDS)
@pytest.mark.parametrize("steps", [1, 3])
def test_the_score_is_of_the_prediction_that_the_card_asks_for(kind, steps):
    model = paired_models.model()
    task = _task(model, kind, validation_steps=steps)
    samples = paired_models.batch().samples
    asked = []
    output = model.output
    model.output = lambda x, z, t: (asked.append(t), output(x, z, t))[1]
    score = task.score(samples)
    assert asked == {1: [999], 3: [999, 666, 332]}[steps]
    assert score.shape == (2,)
    assert torch.equal(task.score(samples), score)
    one = paired_models.rows(paired_models.batch(), [1]).samples
    torch.testing.assert_close(task.score(one)[0], score[1], rtol=1e-4, atol=1e-5)


def test_more_steps_than_timesteps_are_refused_before_the_first():
    with pytest.raises(SettingError, match="steps 1001"):
        _task(paired_models.model(), validation_steps=1001)


def test_a_few_steps_on_one_batch_lower_the_loss():
    model = paired_models.model()
    task = _task(model)
    optimiser = torch.optim.Adam(model.unet.parameters(), lr=2e-3)
    batch = paired_models.batch()
    losses = []
    for _ in range(25):
        optimiser.zero_grad()
        loss = task.loss(batch).mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_half_precision_is_for_products_only():
    task, batch = _task(paired_models.model()), paired_models.batch()
    exact = task.loss(batch)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = task.loss(batch)
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, exact, rtol=0.02, atol=0)


# agreement


def _plain_noise(size, strength, generator):
    """Marigold's multi-resolution noise, spelled out."""
    noise = torch.randn(size, generator=generator)
    height, width = size[1:]
    for i in range(10):
        r = 2 + 2 * torch.rand((), generator=generator, dtype=torch.float64).item()
        height, width = max(1, int(height / r**i)), max(1, int(width / r**i))
        level = torch.randn(1, size[0], height, width, generator=generator)
        up = torch.nn.functional.interpolate(level, size=size[1:], mode="bilinear")[0]
        noise = noise + strength**i * up
        if height == 1 or width == 1:
            break
    return noise / noise.std()


def _plain_draws(shape):
    """Timesteps and noise of the two images."""
    times, noises = [], []
    for seed in SEEDS:
        generator = torch.Generator().manual_seed(seed)
        times.append(torch.randint(1000, (), generator=generator))
        noises.append(_plain_noise(shape, 0.9 * times[-1].item() / 1000, generator))
    return torch.stack(times), torch.stack(noises).double()


def _plain_picture(samples, kind):
    if kind == "normals":
        rub = samples.normals.double() * torch.tensor([1.0, -1.0, -1.0])[:, None, None]
        facing = torch.tensor([0.0, 0.0, 1.0]).double()[:, None, None]
        return torch.where(samples.valid[:, None], rub, facing)
    painted = []
    for depth_m, valid in zip(samples.depth_m.double(), samples.valid, strict=True):
        low, high = torch.quantile(depth_m[valid], torch.tensor([0.02, 0.98]).double())
        painted.append(((depth_m - low) / (high - low) * 2 - 1).clamp(-1, 1))
    return torch.stack(painted)[:, None].repeat(1, 3, 1, 1)


@pytest.mark.parametrize("pool", ["image", "batch"])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", CARDS)
def test_loss_and_every_gradient_are_those_of_a_plain_step(kind, target, pool):
    ours, unet, vae = paired_models.pair(target)
    batch = paired_models.batch(dtype=torch.float64)
    loss = _task(ours, kind, pool=pool).loss(batch).mean()
    loss.backward()
    encode = lambda x: SCALE * vae.encode(x).latent_dist.mean.detach()  # noqa: E731
    z_x = encode(batch.samples.image * 2 - 1)
    z_y = encode(_plain_picture(batch.samples, kind))
    time, noise = _plain_draws(tuple(z_y.shape[1:]))
    scheduler = diffusers.DDPMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"
    )
    noisy = scheduler.add_noise(z_y, noise, time)
    context = ours.prompt[None].repeat(2, 1, 1)
    out = unet(torch.cat([z_x, noisy], dim=1), time, encoder_hidden_states=context).sample
    goals = {"sample": z_y, "epsilon": noise}
    goal = goals[target] if target in goals else scheduler.get_velocity(z_y, noise, time)
    bad = torch.nn.functional.max_pool2d((~batch.samples.valid[:, None]).float(), 2, 2).bool()
    errors = (out - goal).square()
    good = ~bad.expand_as(errors)
    if pool == "batch":
        plain = errors[good].mean()
    else:
        plain = torch.stack([e[g].mean() for e, g in zip(errors, good, strict=True)]).mean()
    plain.backward()
    assert loss.item() == pytest.approx(plain.item(), rel=1e-5)
    assert_same_gradients(gradients(ours.unet), gradients(unet))


def test_prediction_is_diffusers_ddim():
    ours, unet, vae = paired_models.pair()
    samples = paired_models.batch(dtype=torch.float64).samples
    found = _task(ours, validation_steps=4).decoded_to_score(samples)
    z_x = SCALE * vae.encode(samples.image * 2 - 1).latent_dist.mean
    generator = torch.Generator().manual_seed(marigold_depth().seed)
    latent = torch.randn(1, *LATENT.shape[1:], generator=generator).double().repeat(2, 1, 1, 1)
    scheduler = diffusers.DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
    )
    scheduler.set_timesteps(4)
    say = partial(unet, encoder_hidden_states=ours.prompt[None].repeat(2, 1, 1))
    for time in scheduler.timesteps:
        out = say(torch.cat([z_x, latent], dim=1), time).sample
        latent = scheduler.step(out, time, latent).prev_sample
    torch.testing.assert_close(found, vae.decode(latent / SCALE).sample, rtol=1e-5, atol=1e-5)
