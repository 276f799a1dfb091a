"""One micro-step against a plain computation with diffusers' networks: loss and every gradient."""

from itertools import product

import diffusers_twin
import plain_losses
import pytest
import torch
from diffusers_twin import diffusers
from torch.nn import functional as F

from monostep.data.samples import Samples
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.network.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig
from monostep.network.unet import UNet, UNetConfig
from monostep.recipes import recipe
from monostep.recipes.paper import parity
from monostep.training.batch import Batch
from monostep.training.overriding import override
from monostep.training.step import DepthTask, NormalsTask

TARGETS = {"velocity": "v_prediction", "epsilon": "epsilon", "sample": "sample"}
NOISES = ["zeros", "gaussian", "pyramid", "none"]
TASKS = {"sd-e2e-depth": DepthTask, "sd-e2e-normals": NormalsTask}
SCALE, SEEDS = 0.18215, (11, 12)
LUB_FROM_OPENCV = torch.tensor([-1.0, -1.0, -1.0])[:, None, None]  # dsine's frame
RUB_FROM_OPENCV = torch.tensor([1.0, -1.0, -1.0])[:, None, None]  # opengl's


def _model(target, *, inputs=8, tokens=2):
    """Ours and diffusers' networks with the same random weights, in double precision."""
    torch.manual_seed(0)
    unet = UNetConfig(
        in_channels=inputs,
        out_channels=4,
        channels=(16, 32),
        attention=(True, False),
        heads=(2, 2),
        layers=1,
        context=8,
        groups=4,
    )
    kl = AutoencoderKLConfig(channels=(8, 16), layers=1, groups=4)
    ours = LatentDiffusion(
        unet=UNet(unet),
        autoencoder=AutoencoderKL(kl),
        prompt=torch.randn(tokens, unet.context),
        schedule=Schedule(alpha_bar=scaled_linear(), target=target),
    ).double()
    # Maps that spread beyond [-1, 1] somewhere: the clamp is part of what is compared.
    with torch.no_grad():
        ours.vae.decoder.conv_out.weight.mul_(8)
    their_unet = diffusers_twin.unet(unet).double()
    their_unet.load_state_dict(ours.unet.state_dict())
    their_vae = diffusers_twin.autoencoder_kl(kl).double()
    their_vae.load_state_dict(ours.vae.state_dict())
    return ours, their_unet, their_vae


def _batch():
    generator = torch.Generator().manual_seed(5)
    size = (24, 16)
    image = torch.rand(2, 3, *size, generator=generator, dtype=torch.float64)
    valid = torch.rand(2, *size, generator=generator) > 0.2
    valid[1, :10] = False  # images that pool differently
    depth_m = torch.rand(2, *size, generator=generator) * 9 + 1
    normals = F.normalize(torch.randn(2, 3, *size, generator=generator), dim=1)
    samples = Samples(
        image=image.float(),
        depth_m=torch.where(valid, depth_m, 0.0),
        normals=torch.where(valid[:, None], normals, 0.0),
        valid=valid,
        sky=torch.zeros_like(valid),
        intrinsics=torch.eye(3).expand(2, 3, 3),
        kind=torch.zeros(2, dtype=torch.long),
    )
    samples = Samples(**{**vars(samples), "image": samples.image.double()})
    return Batch(samples=samples, step=0, seeds=SEEDS, names=("a", "b"))


def _noise(kind, latent):
    rows = []
    for seed in SEEDS:
        generator, size = torch.Generator().manual_seed(seed), tuple(latent.shape[1:])
        if kind == "gaussian":
            rows.append(torch.randn(1, *size, generator=generator)[0])
        else:
            rows.append(
                plain_losses.pyramid(size, generator) if kind == "pyramid" else torch.zeros(size)
            )
    return torch.stack(rows).double()


def _plain_map(unet, vae, batch, *, target, kind, prompt):
    """The decoded map as a training script with diffusers would compute it."""
    z_x = SCALE * vae.encode(batch.samples.image * 2 - 1).latent_dist.mean
    z_t = _noise(kind, z_x)
    seen = z_x if kind == "none" else torch.cat([z_x, z_t], dim=1)
    context = prompt[None].repeat(2, 1, 1)
    out = unet(seen, torch.tensor([999, 999]), encoder_hidden_states=context).sample
    scheduler = diffusers.DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        prediction_type=TARGETS[target],
    )
    scheduler.set_timesteps(1)
    clean = scheduler.step(out, 999, z_t).pred_original_sample
    return vae.decode(clean / SCALE).sample


def _assert_same(ours, theirs, our_gradients, their_gradients):
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    whole = torch.stack([g.norm() for g in their_gradients.values()]).norm()
    assert our_gradients.keys() == their_gradients.keys()
    for name, expected in their_gradients.items():
        # Some biases before a normalisation have no gradient but rounding.
        allowed = 1e-5 * expected.norm() + 1e-8 * whole
        assert (our_gradients[name] - expected).norm() <= allowed, name


def _gradients(module):
    return {name: p.grad for name, p in module.named_parameters()}


# By default each noise and each target with either task; the whole grid is slow.
CORNERS = {("velocity", noise) for noise in NOISES} | {(target, "gaussian") for target in TARGETS}


@pytest.mark.parametrize(
    ("target", "noise"),
    [
        pytest.param(*each, marks=[] if each in CORNERS else [pytest.mark.slow])
        for each in product(TARGETS, NOISES)
    ],
)
@pytest.mark.parametrize("name", TASKS)
def test_loss_and_every_gradient_are_those_of_a_plain_step(name, target, noise):
    config = override(recipe(name), [f"noise={noise}", "clip_target=false", "align_from=0.0"])
    ours, unet, vae = _model(target, inputs=4 if noise == "none" else 8)
    batch = _batch()
    loss = TASKS[name](ours, config).loss(batch).mean()
    loss.backward()
    decoded = _plain_map(unet, vae, batch, target=target, kind=noise, prompt=ours.prompt)
    samples = batch.samples
    if name == "sd-e2e-depth":
        plain = plain_losses.depth(decoded, samples.depth_m, samples.valid, pooled=False)
    else:
        truth = samples.normals * RUB_FROM_OPENCV
        plain = plain_losses.normals(decoded, truth, samples.valid, pooled=False)
    plain.backward()
    _assert_same(loss, plain, _gradients(ours.unet), _gradients(unet))


@pytest.mark.parametrize("name", TASKS)
def test_with_parity_and_a_trained_decoder_it_is_the_published_step(name):
    config = override(parity(recipe(name)), ["train_decoder=true"])
    ours, unet, vae = _model("velocity", tokens=77)
    batch = _batch()
    task = TASKS[name](ours, config)
    loss = task.loss(batch).mean()
    loss.backward()
    decoded = _plain_map(unet, vae, batch, target="velocity", kind="zeros", prompt=ours.prompt)
    samples = batch.samples
    if name == "sd-e2e-depth":
        truth = samples.depth_m.clone()
        for row, valid in zip(truth, samples.valid, strict=True):
            row.clamp_(*torch.quantile(row[valid], torch.tensor([0.02, 0.98])))
        plain = plain_losses.depth(decoded, truth, samples.valid, pooled=True)
    else:
        truth = samples.normals * LUB_FROM_OPENCV
        plain = plain_losses.normals(decoded, truth, samples.valid, pooled=True)
    plain.backward()
    theirs = {f"unet.{name}": g for name, g in _gradients(unet).items()}
    theirs |= {f"decoder.{name}": g for name, g in _gradients(vae.decoder).items()}
    theirs |= {f"post_quant_conv.{name}": g for name, g in _gradients(vae.post_quant_conv).items()}
    _assert_same(loss, plain, _gradients(task.trained), theirs)
    assert all(p.grad is None for p in ours.vae.encoder.parameters())


def test_the_plain_maps_vary_and_are_clamped_somewhere():
    for noise in NOISES:
        ours, unet, vae = _model("velocity", inputs=4 if noise == "none" else 8)
        plain = _plain_map(unet, vae, _batch(), target="velocity", kind=noise, prompt=ours.prompt)
        depth = plain.mean(dim=1)
        assert depth.std() > 0.2
        assert 0 < (depth.abs() > 1).double().mean() < 0.5
