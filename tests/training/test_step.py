import pytest
import torch

from monostep.data.procedural import render
from monostep.data.samples import Samples
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.geometry import decode
from monostep.losses.depth import normalised
from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig
from monostep.network.sizes import TINY_UNET
from monostep.network.unet import UNet
from monostep.recipes import recipe
from monostep.training.overriding import override
from monostep.training.step import DepthTask, NormalsTask, far_depth

TASKS = {"nano-depth": DepthTask, "nano-normals": NormalsTask}


@pytest.fixture(scope="module")
def samples():
    return render(1, range(3), (16, 16))


@pytest.fixture
def model():
    torch.manual_seed(0)
    config = AutoencoderTinyConfig(width=8, encoder_blocks=(1, 1, 1), decoder_blocks=(1, 1, 1))
    autoencoder = AutoencoderTiny(config)
    # Random decoders saturate at -1, where the clamp of depth has no slope; start in the middle.
    torch.nn.init.constant_(autoencoder.decoder.layers[-1].bias, 0.5)
    return LatentDiffusion(
        unet=UNet(TINY_UNET),
        autoencoder=autoencoder,
        prompt=torch.randn(2, TINY_UNET.context),
        schedule=Schedule(alpha_bar=scaled_linear(), target="velocity"),
    )


@pytest.mark.parametrize("name", TASKS)
def test_gradient_flows_through_the_frozen_decoder_into_every_used_weight(name, model, samples):
    task = TASKS[name](model, recipe(name))
    task.loss(samples, step=0).mean().backward()
    assert all(parameter.grad is None for parameter in model.vae.parameters())
    for key, parameter in model.unet.named_parameters():
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key
    # Zero noise never excites the second half of the input channels.
    gradient = model.unet.conv_in.weight.grad
    assert gradient[:, :4].abs().sum() > 0
    assert gradient[:, 4:].abs().sum() == 0


@pytest.mark.parametrize("name", TASKS)
def test_each_image_has_its_own_loss(name, model, samples):
    task = TASKS[name](model, recipe(name))
    together = task.loss(samples, step=0)
    swapped = Samples.concatenate([samples, samples])
    torch.testing.assert_close(task.loss(swapped, step=0)[:3], together, rtol=1e-4, atol=1e-5)
    assert task.score(samples).shape == (3,)


def test_a_few_steps_on_one_batch_lower_the_loss(model, samples):
    task = DepthTask(model, recipe("nano-depth"))
    optimiser = torch.optim.AdamW(model.unet.parameters(), lr=1e-3)
    losses = []
    for _ in range(15):
        optimiser.zero_grad()
        loss = task.loss(samples, step=0).mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_sky_and_far_surfaces_count_a_little_as_far(samples):
    config = override(recipe("nano-depth"), ["far_m=3.0", "sky_weight=0.25"])
    depth_m, weight = far_depth(samples, config)
    far = samples.sky | (samples.depth_m > 3)
    assert far.any()
    assert (depth_m[far] == 3).all()
    assert (weight[far] == 0.25).all()
    assert (weight[~far] == 1).all()


def test_the_score_is_zero_for_the_truth(model, samples):
    task = DepthTask(model, recipe("nano-depth"))
    depth = (samples.depth_m / samples.depth_m.amax() * 2 - 1)[:, None].expand(-1, 3, -1, -1)
    task.model = lambda _: depth
    assert task.score(samples).max() < 1e-4
    assert decode.depth(depth).shape == samples.depth_m.shape


def test_the_loss_turns_affine_invariant_where_the_recipe_says(model, samples):
    config = override(recipe("nano-depth"), ["steps=10", "align_from=0.5"])
    task = DepthTask(model, config)
    truth_m, weight = far_depth(samples, config)
    task.model = lambda _: normalised(truth_m, weight)[:, None].expand(-1, 3, -1, -1) * -1
    early, late = task.loss(samples, step=4), task.loss(samples, step=5)
    # An upside-down map is wrong for the first loss and perfect, but for clipping, for the second.
    assert (early > 0.3).all()
    assert (late < 0.1).all()
    assert weight.shape == truth_m.shape
