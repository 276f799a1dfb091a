import copy

import pytest
import torch
from torch import nn

from monostep.errors import TrainingError
from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.network.autoencoder_tiny import AutoencoderTiny, AutoencoderTinyConfig
from monostep.network.sizes import TINY_AUTOENCODER
from monostep.training.precision import Frozen, autocast, check_master, loss_scaler

CPU = torch.device("cpu")
SMALL = AutoencoderTinyConfig(width=8, encoder_blocks=(1, 1), decoder_blocks=(1, 1))
AUTOENCODERS = {
    "kl": lambda: AutoencoderKL(TINY_AUTOENCODER),
    "tiny": lambda: AutoencoderTiny(SMALL),
}


def _autoencoder(name):
    torch.manual_seed(0)
    return AUTOENCODERS[name](), torch.rand(1, 3, 32, 32) * 2 - 1


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)],
)
def test_products_have_the_precision_and_weights_stay_float32(precision, dtype):
    layer = nn.Linear(4, 4)
    with autocast(precision, CPU):
        output = layer(torch.ones(1, 4))
    output.float().sum().backward()
    assert output.dtype == dtype
    assert layer.weight.dtype == layer.weight.grad.dtype == torch.float32


def test_a_step_moves_a_float32_weight_and_not_a_bfloat16_one():
    moved = []
    for dtype in (torch.float32, torch.bfloat16):
        weight = nn.Parameter(torch.tensor([0.02], dtype=dtype))
        before = weight.detach().clone()
        weight.grad = torch.ones_like(weight)
        torch.optim.AdamW([weight], lr=3e-5, weight_decay=0.0).step()
        moved.append(not torch.equal(weight, before))
    assert moved == [True, False]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_that_learn_in_half_precision_are_named(dtype):
    module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    module[0].to(dtype).requires_grad_(requires_grad=False)  # frozen: no matter
    check_master(module)
    module[1].bias.data = module[1].bias.data.to(dtype)
    with pytest.raises(TrainingError, match=r"^1\.bias learns in .*float16, expected float32"):
        check_master(module)


def test_small_float16_gradients_survive_by_the_scale_of_the_loss():
    gradients = []
    for precision in ("fp32", "fp16"):
        weight = nn.Parameter(torch.ones(1, 4))
        scaler = loss_scaler(precision, CPU)
        optimiser = torch.optim.SGD([weight], lr=1.0)
        with autocast("fp16", CPU):
            loss = 1e-9 * nn.functional.linear(torch.ones(1, 4), weight).float().sum()
        scaler.scale(loss).backward()
        scaler.unscale_(optimiser)
        gradients.append(weight.grad.mean().item())
    assert gradients[0] == 0  # what unscaled float16 makes of it
    assert gradients[1] == pytest.approx(1e-9, rel=1e-2)


def test_an_overflow_leaves_the_step_out_and_lowers_the_scale():
    weight = nn.Parameter(torch.ones(2))
    scaler = loss_scaler("fp16", CPU)
    optimiser = torch.optim.AdamW([weight], lr=0.1, fused=True)
    scale = scaler.scale(weight.sum()).item() / 2
    weight.grad = torch.tensor([float("inf"), 1.0])
    scaler.step(optimiser)
    scaler.update()
    assert torch.equal(weight, torch.ones(2))
    assert scaler.get_scale() == scale / 2


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_without_fp16_the_scaler_changes_nothing(precision):
    scaler = loss_scaler(precision, CPU)
    loss = torch.tensor(3.0)
    assert scaler.scale(loss) is loss
    assert scaler.state_dict() == {}


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_a_frozen_autoencoder_in_float32_is_what_it_was(name):
    autoencoder, image = _autoencoder(name)
    latent = autoencoder.encode(image)
    decoded = autoencoder.decode(latent)
    Frozen(torch.float32, autoencoder)
    with autocast("bf16", CPU):
        assert torch.equal(autoencoder.encode(image), latent)
        assert torch.equal(autoencoder.decode(latent.detach()), decoded)


@pytest.mark.parametrize("enabled", [True, False], ids=["autocast", "plain"])
@pytest.mark.parametrize("name", AUTOENCODERS)
def test_a_frozen_autoencoder_is_that_of_its_dtype_with_float32_doors(name, enabled):
    autoencoder, image = _autoencoder(name)
    exact = autoencoder.encode(image).detach()
    pure = copy.deepcopy(autoencoder).bfloat16()
    Frozen(torch.bfloat16, autoencoder)
    assert {p.dtype for p in autoencoder.parameters()} == {torch.bfloat16}
    with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
        latent = autoencoder.encode(image)
        decoded = autoencoder.decode(exact)
    assert latent.dtype == decoded.dtype == torch.float32
    assert torch.equal(latent, pure.encode(image.bfloat16()).float())
    assert torch.equal(decoded, pure.decode(exact.bfloat16()).float())
    assert (latent - exact).norm() < 0.03 * exact.norm()


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_gradients_flow_through_a_frozen_decoder(name):
    autoencoder, image = _autoencoder(name)
    latent = autoencoder.encode(image).detach().requires_grad_()
    (exact,) = torch.autograd.grad(autoencoder.decode(latent).square().mean(), latent)
    Frozen(torch.bfloat16, autoencoder)
    (gradient,) = torch.autograd.grad(autoencoder.decode(latent).square().mean(), latent)
    assert gradient.dtype == torch.float32
    assert nn.functional.cosine_similarity(gradient.flatten(), exact.flatten(), dim=0) > 0.99
    assert not any(parameter.requires_grad for parameter in autoencoder.parameters())


def test_it_is_saved_with_its_own_weights():
    autoencoder, image = _autoencoder("kl")
    before = {name: value.clone() for name, value in autoencoder.state_dict().items()}
    latent = autoencoder.encode(image)
    frozen = Frozen(torch.bfloat16, autoencoder)
    smaller = autoencoder.encode(image)
    with frozen.full():
        state = autoencoder.state_dict()
        assert state.keys() == before.keys()
        assert all(torch.equal(state[name], before[name]) for name in before)
        assert torch.equal(autoencoder.encode(image), latent)
    assert torch.equal(autoencoder.encode(image), smaller)
    assert not torch.equal(smaller, latent)


def test_a_copy_is_independent():
    autoencoder, image = _autoencoder("kl")
    Frozen(torch.bfloat16, autoencoder)
    expected = autoencoder.encode(image)
    other = copy.deepcopy(autoencoder)
    for parameter in autoencoder.parameters():
        parameter.data.zero_()
    assert torch.equal(other.encode(image), expected)
