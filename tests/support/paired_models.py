"""One small diffusion model twice, ours and diffusers', and a batch with holes to train it on."""

import diffusers_twin
import torch
from torch.nn import functional as F

from monostep.data.samples import Samples
from monostep.diffusion.latent_diffusion import LatentDiffusion
from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.network.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig
from monostep.network.unet import UNet, UNetConfig
from monostep.training.batch import Batch

SCALE = 0.18215
SEEDS = (11, 12)
_UNET = UNetConfig(
    in_channels=8,
    out_channels=4,
    channels=(16, 32),
    attention=(True, False),
    heads=(2, 2),
    layers=1,
    context=8,
    groups=4,
)
_KL = AutoencoderKLConfig(channels=(8, 16), layers=1, groups=4)  # factor 2


def model(target="velocity", *, seed=0):
    """Ours alone, in float32."""
    torch.manual_seed(seed)
    ours = LatentDiffusion(
        unet=UNet(_UNET),
        autoencoder=AutoencoderKL(_KL),
        prompt=torch.randn(2, _UNET.context),
        schedule=Schedule(alpha_bar=scaled_linear(), target=target),
    )
    with torch.no_grad():  # random encoders say next to nothing
        ours.vae.quant_conv.weight.mul_(30)
    return ours


def pair(target="velocity"):
    """Ours, diffusers' UNet and diffusers' autoencoder with the same weights, in float64."""
    ours = model(target).double()
    unet = diffusers_twin.unet(_UNET).double()
    unet.load_state_dict(ours.unet.state_dict())
    vae = diffusers_twin.autoencoder_kl(_KL).double()
    vae.load_state_dict(ours.vae.state_dict())
    return ours, unet, vae


def batch(*, step=0, seeds=SEEDS, dtype=torch.float32):
    """Two images of 24 x 16 with random depth, normals and holes, more of them in the second."""
    generator = torch.Generator().manual_seed(5)
    size = (24, 16)
    valid = torch.rand(2, *size, generator=generator) > 0.1
    valid[1, :10] = False
    depth_m = torch.rand(2, *size, generator=generator) * 9 + 1
    normals = F.normalize(torch.randn(2, 3, *size, generator=generator), dim=1)
    samples = Samples(
        image=torch.rand(2, 3, *size, generator=generator),
        depth_m=torch.where(valid, depth_m, 0.0),
        normals=torch.where(valid[:, None], normals, 0.0),
        valid=valid,
        sky=torch.zeros_like(valid),
        intrinsics=torch.eye(3).expand(2, 3, 3),
        kind=torch.zeros(2, dtype=torch.long),
    )
    # Networks in double precision, data as it is stored.
    samples = Samples(**{**vars(samples), "image": samples.image.to(dtype)})
    return Batch(samples=samples, step=step, seeds=seeds, names=("a", "b"))


def rows(whole, which):
    """Some images of a batch, as a batch."""
    fields = {n: None if t is None else t[which] for n, t in vars(whole.samples).items()}
    return Batch(
        samples=Samples(**fields),
        step=whole.step,
        seeds=tuple(whole.seeds[k] for k in which),
        names=tuple(whole.names[k] for k in which),
    )


def gradients(module):
    return {name: p.grad.clone() for name, p in module.named_parameters()}


def assert_same_gradients(ours, theirs, *, relative=1e-5):
    """Every tensor to a relative 1e-5 of its norm."""
    assert ours.keys() == theirs.keys()
    whole = torch.stack([g.norm() for g in theirs.values()]).norm()
    for name, expected in theirs.items():
        # Some biases before a normalisation have no gradient but rounding.
        allowed = relative * expected.norm() + 1e-8 * whole
        assert (ours[name] - expected).norm() <= allowed, name
