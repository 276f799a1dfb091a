import warnings

import pytest
import torch

from monostep.diffusion import forward
from monostep.diffusion.schedule import Schedule, scaled_linear, zero_terminal_snr

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import diffusers

TARGETS = ("sample", "epsilon", "velocity")
TIMES = torch.tensor([0, 1, 249, 500, 998, 999])


@pytest.fixture
def latents():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 6, 4, 3, 5, generator=generator, dtype=torch.float64).unbind()


def _schedule(target, *, zero_snr=False):
    alpha_bar = zero_terminal_snr(scaled_linear()) if zero_snr else scaled_linear()
    return Schedule(alpha_bar=alpha_bar, target=target)


# laws


# Without any signal the latent says nothing of the sample, nor the sample of the noise.
@pytest.mark.parametrize(
    ("target", "zero_snr"), [*((target, False) for target in TARGETS), ("velocity", True)]
)
def test_the_exact_target_gives_back_the_clean_latent_and_the_noise(target, zero_snr, latents):
    clean, noise = latents
    schedule = _schedule(target, zero_snr=zero_snr)
    noisy = forward.noisy(schedule, clean, noise, TIMES)
    said = forward.target(schedule, clean, noise, TIMES)
    # Alpha-bar is float32, so signal^2 + noise^2 is 1 to its rounding.
    settings = {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(schedule.clean(noisy, said, TIMES), clean, **settings)
    torch.testing.assert_close(schedule.noise(noisy, said, TIMES), noise, **settings)


def test_each_image_is_at_its_own_time(latents):
    clean, noise = latents
    schedule = _schedule("velocity")
    together = forward.noisy(schedule, clean, noise, TIMES)
    for row, time in enumerate(TIMES):
        alone = forward.noisy(schedule, clean[row, None], noise[row, None], time[None])
        assert torch.equal(together[row], alone[0])


def test_without_signal_the_last_latent_is_the_noise_and_the_velocity_too(latents):
    clean, noise = latents
    schedule = _schedule("velocity", zero_snr=True)
    last = torch.full((6,), 999)
    assert torch.equal(forward.noisy(schedule, clean, noise, last), noise)
    assert torch.equal(forward.target(schedule, clean, noise, last), -clean)


# agreement


@pytest.mark.parametrize("zero_snr", [False, True])
def test_as_in_diffusers(zero_snr, latents):
    clean, noise = latents
    theirs = diffusers.DDPMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=zero_snr,
    )
    schedule = _schedule("velocity", zero_snr=zero_snr)
    settings = {"rtol": 1e-5, "atol": 1e-7}
    torch.testing.assert_close(
        forward.noisy(schedule, clean, noise, TIMES),
        theirs.add_noise(clean, noise, TIMES),
        **settings,
    )
    torch.testing.assert_close(
        forward.target(schedule, clean, noise, TIMES),
        theirs.get_velocity(clean, noise, TIMES),
        **settings,
    )
