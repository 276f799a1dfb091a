import dataclasses

import paired_models
import pytest
import torch
from diffusers_twin import diffusers

from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.network.unet import UNet
from monostep.recipes import recipe
from monostep.training.image_task import ImageTask


def _model():
    """A model whose UNet sees the noisy latent alone."""
    whole = paired_models.model()
    dimensions = dataclasses.replace(whole.unet.config, in_channels=4)
    torch.manual_seed(0)
    return LatentDiffusion(
        unet=UNet(dimensions), autoencoder=whole.vae, prompt=whole.prompt, schedule=whole.schedule
    )


def _task(model=None):
    return ImageTask(model or _model(), recipe("miniature-base"))


# laws


def test_the_gradient_reaches_the_unet_and_nothing_else():
    task = _task()
    task.loss(paired_models.batch()).mean().backward()
    assert task.trained is task.model.unet
    assert all(parameter.grad is None for parameter in task.model.vae.parameters())
    for name, parameter in task.model.unet.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def test_no_image_sees_the_others_and_depth_is_not_looked_at():
    task, batch = _task(), paired_models.batch()
    together = task.loss(batch)
    for row in range(2):
        alone = paired_models.rows(batch, [row])
        torch.testing.assert_close(task.loss(alone), together[row : row + 1], rtol=1e-5, atol=0)
    nothing = dataclasses.replace(batch.samples, valid=torch.zeros_like(batch.samples.valid))
    assert torch.equal(task.loss(dataclasses.replace(batch, samples=nothing)), together)


def test_a_network_that_knows_the_answer_has_no_loss():
    task = _task()
    task.model.schedule = dataclasses.replace(task.model.schedule, target="sample")
    clean = task.model.encode(paired_models.batch().samples.image * 2 - 1)
    task.model.unet.forward = lambda _noisy, _time, _context: clean
    assert task.loss(paired_models.batch()).max() == 0
    assert task.score(paired_models.batch().samples).max() == 0


def test_every_validation_is_of_the_same_noise():
    task, samples = _task(), paired_models.batch().samples
    with torch.no_grad():
        assert torch.equal(task.score(samples), task.score(samples))


# agreement


@pytest.mark.parametrize("target", ["velocity", "epsilon"])
def test_the_loss_is_that_of_diffusers_own_noising(target):
    model = _model()
    model.schedule = dataclasses.replace(model.schedule, target=target)
    task, batch = _task(model), paired_models.batch()
    theirs = diffusers.DDPMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type={"velocity": "v_prediction", "epsilon": "epsilon"}[target],
    )
    with torch.no_grad():
        losses = task.loss(batch)
        for row in range(2):
            generator = batch.generator(row)
            time = torch.randint(1000, (), generator=generator)[None]
            clean = model.encode(batch.samples.image[row : row + 1] * 2 - 1)
            noise = torch.randn(clean.shape[1:], generator=generator)[None]
            said = model.unet(theirs.add_noise(clean, noise, time), time, model.prompt[None])
            wanted = noise if target == "epsilon" else theirs.get_velocity(clean, noise, time)
            expected = (said - wanted).square().mean()
            torch.testing.assert_close(losses[row], expected, rtol=1e-5, atol=1e-6)
