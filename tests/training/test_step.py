import dataclasses

import pytest
import torch

from monostep.data.procedural import render
from monostep.data.samples import Samples
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.geometry.quantity import from_depth
from monostep.losses.depth import normalised
from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig
from monostep.network.sizes import TINY_UNET
from monostep.network.unet import UNet
from monostep.recipes import recipe
from monostep.training.batch import Batch
from monostep.training.depth_target import far_depth
from monostep.training.overriding import override
from monostep.training.step import DepthTask, NormalsTask
from monostep.training.task import Task

TASKS = {"nano-depth": DepthTask, "nano-normals": NormalsTask}
OPTIONS = {"nano-depth": ["gradient_weight=0.5", "clip_target=true"], "nano-normals": []}
PLAIN = ["depth_unit=metre", "sky_weight=0"]
QUANTITIES = ["depth", "disparity", "sqrt_disparity", "log_depth"]


def _batch(samples, step=0, first=7):
    count = len(samples)
    seeds = tuple(range(first, first + count))
    return Batch(samples=samples, step=step, seeds=seeds, names=("scene",) * count)


def _painted(values):
    """A decoder's three channels for a map in [-1, 1]."""
    return values[:, None].expand(-1, 3, -1, -1)


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
    assert isinstance(task, Task)
    task.loss(_batch(samples)).mean().backward()
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
    together = task.loss(_batch(samples))
    twice = Samples.concatenate([samples, samples])
    torch.testing.assert_close(task.loss(_batch(twice))[:3], together, rtol=1e-4, atol=1e-5)
    assert task.score(samples).shape == (3,)


def test_a_few_steps_on_one_batch_lower_the_loss(model, samples):
    task = DepthTask(model, recipe("nano-depth"))
    optimiser = torch.optim.AdamW(model.unet.parameters(), lr=1e-3)
    losses = []
    for _ in range(15):
        optimiser.zero_grad()
        loss = task.loss(_batch(samples)).mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_the_score_is_zero_for_the_truth_in_any_quantity(model, samples, quantity):
    task = DepthTask(model, override(recipe("nano-depth"), [f"quantity={quantity}", *PLAIN]))
    truth = from_depth(samples.depth_m, quantity)
    task.decoded_to_score = lambda _: _painted(0.4 + 0.2 * truth / truth.abs().amax())
    assert task.score(samples).max() < 1e-4
    task.decoded_to_score = lambda _: _painted(torch.full_like(truth, 0.5))
    assert task.score(samples).min() > 0.01


def test_the_normals_score_is_zero_for_the_truth_in_the_tasks_frame(model, samples):
    task = NormalsTask(model, recipe("nano-normals"), frame="dsine")
    task.decoded_to_score = lambda _: -samples.normals
    assert task.score(samples).max() < 1e-2
    task.decoded = lambda _: -3 * samples.normals
    assert task.loss(_batch(samples)).max() < 1e-5
    assert NormalsTask(model, recipe("nano-normals")).frame == "opengl"
    told = override(recipe("nano-normals"), ["frame=directx"])
    assert NormalsTask(model, told).frame == "directx"


def test_the_loss_turns_affine_invariant_where_the_recipe_says(model, samples):
    config = override(recipe("nano-depth"), ["steps=10", "warmup=0", "align_from=0.5"])
    task = DepthTask(model, config)
    truth_m, weight = far_depth(samples, config)
    task.decoded = lambda _: _painted(normalised(truth_m, weight)) * -1
    early, late = task.loss(_batch(samples, step=4)), task.loss(_batch(samples, step=5))
    # An upside-down map is wrong for the first loss and perfect, but for clipping, for the second.
    assert (early > 0.3).all()
    assert (late < 0.1).all()


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_an_affine_map_of_the_target_has_no_loss(model, samples, quantity):
    settings = [f"quantity={quantity}", "gradient_weight=0.5", "pool=batch", *PLAIN]
    task = DepthTask(model, override(recipe("nano-depth"), settings))
    truth = from_depth(samples.depth_m.clamp_max(80), quantity)
    task.decoded = lambda _: _painted(0.3 + 0.5 * truth / truth.abs().amax())
    assert task.loss(_batch(samples)).max() < 3e-6 * truth.abs().amax()


def test_the_gradient_loss_is_added_with_its_weight(model, samples):
    losses = {}
    for weight in (0.0, 0.5, 1.0):
        config = override(recipe("nano-depth"), [f"gradient_weight={weight}", "gradient_scales=2"])
        losses[weight] = DepthTask(model, config).loss(_batch(samples))
    assert (losses[0.5] > losses[0.0]).all()
    added = losses[1.0] - losses[0.0]
    torch.testing.assert_close(losses[0.5] - losses[0.0], added / 2, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", TASKS)
def test_pixels_without_trust_count_as_little_as_they_are_trusted(name, model, samples):
    task = TASKS[name](model, recipe(name))
    half = torch.ones_like(samples.depth_m)
    half[..., :8] = 0
    cut = samples.valid.clone()
    cut[..., :8] = False
    sky = samples.sky.clone()
    sky[..., :8] = False
    distrusted = dataclasses.replace(samples, confidence=half)
    invalid = dataclasses.replace(samples, valid=cut, sky=sky)
    losses = [task.loss(_batch(each)) for each in (samples, distrusted, invalid)]
    torch.testing.assert_close(losses[1], losses[2])
    assert not torch.allclose(losses[0], losses[1])


def test_pixels_whose_normal_is_the_zero_vector_have_no_weight(model, samples):
    task = NormalsTask(model, recipe("nano-normals"))
    normals, valid = samples.normals.clone(), samples.valid.clone()
    normals[..., :8] = 0
    valid[..., :8] = False
    unknown = dataclasses.replace(samples, normals=normals)
    invalid = dataclasses.replace(samples, valid=valid)
    torch.testing.assert_close(task.loss(_batch(unknown)), task.loss(_batch(invalid)))
    torch.testing.assert_close(task.score(unknown), task.score(invalid))


@pytest.mark.parametrize("name", TASKS)
def test_pooled_shares_are_the_means_where_all_images_count_alike(name, model, samples):
    everywhere = dataclasses.replace(
        samples,
        valid=torch.ones_like(samples.valid),
        sky=torch.zeros_like(samples.sky),
        depth_m=samples.depth_m.clamp_min(1.0),
        normals=torch.nn.functional.normalize(samples.normals + 1e-3, dim=1),
    )
    image, pooled = (
        TASKS[name](model, override(recipe(name), [f"pool={pool}"])).loss(_batch(everywhere))
        for pool in ("image", "batch")
    )
    torch.testing.assert_close(pooled, image)
    valid = everywhere.valid.clone()
    valid[0, 2:] = False
    uneven = dataclasses.replace(everywhere, valid=valid)
    task = TASKS[name](model, override(recipe(name), ["pool=batch"]))
    shares = task.loss(_batch(uneven))
    means = TASKS[name](model, recipe(name)).loss(_batch(uneven))
    count = valid.sum(dim=(1, 2))
    torch.testing.assert_close(shares.mean(), (means * count).sum() / count.sum())


@pytest.mark.parametrize("pool", ["image", "batch"])
@pytest.mark.parametrize("name", TASKS)
def test_images_without_truth_have_no_loss_and_no_gradient_but_stay_connected(
    name, pool, model, samples
):
    none = torch.zeros_like(samples.valid)
    empty = dataclasses.replace(
        samples, valid=none, sky=none, depth_m=torch.full_like(samples.depth_m, torch.nan)
    )
    settings = [f"pool={pool}", *OPTIONS[name]]
    task = TASKS[name](model, override(recipe(name), settings))
    loss = task.loss(_batch(empty))
    assert loss.tolist() == [0, 0, 0]
    assert loss.requires_grad
    loss.mean().backward()
    assert all((p.grad == 0).all() for p in model.unet.parameters())


CONSTANT = {
    "perfect": lambda truth: truth,
    "constant": lambda truth: torch.full_like(truth, 0.25),
    "zero": torch.zeros_like,
}


@pytest.mark.parametrize("edge", CONSTANT)
@pytest.mark.parametrize(
    ("name", "settings"), [*((name, []) for name in TASKS), ("nano-depth", OPTIONS["nano-depth"])]
)
def test_gradients_are_finite_for_perfect_and_for_constant_maps(
    name, edge, settings, model, samples
):
    task = TASKS[name](model, override(recipe(name), settings))
    near = 1 - samples.depth_m / samples.depth_m.amax()
    truth = _painted(near) if name == "nano-depth" else samples.normals
    leaf = CONSTANT[edge](truth).clone().requires_grad_()
    task.decoded = lambda _: leaf
    loss = task.loss(_batch(samples))
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(leaf.grad).all()


@pytest.mark.parametrize("name", TASKS)
def test_mirroring_the_batch_and_the_map_changes_nothing(name, model, samples):
    task = TASKS[name](model, recipe(name))
    torch.manual_seed(3)
    decoded = torch.rand(3, 3, 16, 16) * 2 - 1
    task.decoded = lambda _: decoded
    loss = task.loss(_batch(samples))
    signs = torch.tensor([1.0 if name == "nano-depth" else -1.0, 1.0, 1.0])[:, None, None]
    task.decoded = lambda _: decoded.flip(-1) * signs
    mirrored = samples.flip(torch.ones(3, dtype=torch.bool))
    torch.testing.assert_close(task.loss(_batch(mirrored)), loss, rtol=1e-5, atol=1e-6)
