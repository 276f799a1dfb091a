"""One micro-step of the joint tasks against a plain computation with other libraries' networks."""

import dataclasses

import paired_joint
import plain_losses
import pytest
import torch
from diffusers_twin import diffusers
from paired_models import SCALE, SEEDS, assert_same_gradients, gradients

from monostep.recipes.geometry import geowizard, geowizard_e2e
from monostep.training.geometry_diffusion_task import GeometryDiffusionTask
from monostep.training.geometry_task import GeometryTask

FLIPPED = torch.tensor([-1.0, -1.0, -1.0])[:, None, None]  # the benchmarks' frame and GeoWizard's
CELLS = (4, 12, 8)


def _halves(kind, *, level=None):
    """Noise of the depth halves of all images, then of the normals: drawn one after the other."""
    draw = {
        "zeros": lambda _: torch.zeros(CELLS),
        "gaussian": lambda own: torch.randn(CELLS, generator=own),
        "pyramid": lambda own: plain_losses.pyramid(CELLS, own),
        "pyramid-geowizard": lambda own: plain_losses.geowizards_pyramid(CELLS, own, level),
    }[kind]
    generators = [torch.Generator().manual_seed(seed) for seed in SEEDS]
    return torch.stack([draw(own) for _ in range(2) for own in generators]).double()


def _task(ours, *, frame="opencv", **settings):
    config = dataclasses.replace(geowizard_e2e(), clip_target=False, **settings)
    return GeometryTask(ours, config, frame=frame)


def _plain_loss(theirs, batch, *, kind, weights, frame="opencv", pooled=False):
    """GeoWizard's own words: normals that were in the benchmarks' frame are negated."""
    noisy = _halves(kind, level=0.999)
    out = theirs.say(batch.samples.image, noisy, torch.full((4,), 999))
    scheduler = diffusers.DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        prediction_type="v_prediction",
    )
    scheduler.set_timesteps(1)
    decoded = theirs.vae.decode(scheduler.step(out, 999, noisy).pred_original_sample / SCALE).sample
    samples = batch.samples
    benchmarks = samples.normals * FLIPPED
    truth = benchmarks * FLIPPED if frame == "opencv" else benchmarks
    depth = plain_losses.depth(decoded[:2], samples.depth_m, samples.valid, pooled=pooled)
    angle = plain_losses.normals(decoded[2:], truth, samples.valid, pooled=pooled)
    return weights[0] * depth + weights[1] * angle


CASES = {
    "published": dict(kind="zeros"),
    "separate": dict(kind="zeros", joint=False),
    "gaussian": dict(kind="gaussian"),
    "pyramid": dict(kind="pyramid-geowizard"),
    "other": dict(kind="pyramid", weights=(0.25, 2.0), pooled=True, frame="dsine"),
}


@pytest.mark.parametrize("case", CASES)
def test_loss_and_every_gradient_are_those_of_a_plain_step(case):
    asked = {"weights": (0.5, 1.0), **CASES[case]}
    joint = asked.pop("joint", True)
    ours, theirs = paired_joint.pair(joint=joint)
    batch = paired_joint.batch(dtype=torch.float64)
    settings = {"noise": asked["kind"], "pool": "batch" if asked.get("pooled") else "image"}
    if case == "other":
        settings |= {"depth_weight": 0.25, "normals_weight": 2.0}
    task = _task(ours, frame=asked.get("frame", "opencv"), train_image_encoder=True, **settings)
    loss = task.loss(batch).mean()
    loss.backward()
    plain = _plain_loss(theirs, batch, **asked)
    plain.backward()
    assert loss.item() == pytest.approx(plain.item(), rel=1e-5)
    expected = {f"unet.{name}": g for name, g in gradients(theirs.unet).items()}
    expected |= {f"image_encoder.{name}": g for name, g in gradients(theirs.eye).items()}
    found = gradients(task.trained)
    assert all(gradient.isfinite().all() for gradient in found.values())
    assert_same_gradients(found, expected)
    assert all(parameter.grad is None for parameter in ours.vae.parameters())


def _plain_truths(samples):
    depths = []
    for depth_m, valid in zip(samples.depth_m.double(), samples.valid, strict=True):
        low, high = torch.quantile(depth_m[valid], torch.tensor([0.02, 0.98]).double())
        scaled = ((depth_m - low) / (high - low) * 2 - 1).clamp(-1, 1)
        depths.append(torch.where(valid, scaled, -1.0))
    facing = torch.tensor([0.0, 0.0, -1.0]).double()[:, None, None]
    normals = torch.where(samples.valid[:, None], samples.normals.double(), facing)
    return torch.cat([torch.stack(depths)[:, None].repeat(1, 3, 1, 1), normals])


def _plain_noise(kind):
    """Timestep of each image, and noise of both halves."""
    generators = [torch.Generator().manual_seed(seed) for seed in SEEDS]
    time = torch.stack([torch.randint(1000, (), generator=own) for own in generators])
    draws = []
    for _ in range(2):
        for when, own in zip(time.tolist(), generators, strict=True):
            if kind == "white":
                draws.append(torch.randn(CELLS, generator=own))
            else:
                draws.append(plain_losses.geowizards_pyramid(CELLS, own, when / 1000))
    return time, torch.stack(draws).double()


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("kind", ["white", "pyramid-geowizard"])
def test_a_diffusion_step_is_a_plain_one(kind, masked):
    ours, theirs = paired_joint.pair()
    batch = paired_joint.batch(dtype=torch.float64)
    config = dataclasses.replace(geowizard(), training_noise=kind, masked=masked)
    loss = GeometryDiffusionTask(ours, config, frame="opencv").loss(batch).mean()
    loss.backward()
    z_y = theirs.encode(_plain_truths(batch.samples))
    time, noise = _plain_noise(kind)
    both = torch.cat([time, time])
    scheduler = diffusers.DDPMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"
    )
    out = theirs.say(batch.samples.image, scheduler.add_noise(z_y, noise, both), both)
    errors = (out - scheduler.get_velocity(z_y, noise, both)).square()
    bad = torch.nn.functional.max_pool2d((~batch.samples.valid[:, None]).float(), 2, 2).bool()
    good = ~torch.cat([bad, bad]).expand_as(errors) if masked else torch.ones_like(errors).bool()
    plain = torch.stack([e[g].mean() for e, g in zip(errors, good, strict=True)]).mean()
    plain.backward()
    assert loss.item() == pytest.approx(plain.item(), rel=1e-5)
    assert_same_gradients(gradients(ours.unet), gradients(theirs.unet))
