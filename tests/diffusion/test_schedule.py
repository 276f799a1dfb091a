import diffusers
import pytest
import torch

from monostep.diffusion.schedule import Schedule, linear, scaled_linear, zero_terminal_snr

TARGETS = ["sample", "epsilon", "velocity"]


def _noised(alpha_bar, time):
    generator = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(2, 2, 4, 5, 6, generator=generator, dtype=torch.float64)
    signal = alpha_bar[time].sqrt()[:, None, None, None]
    spread = (1 - alpha_bar[time]).sqrt()[:, None, None, None]
    outputs = {"sample": clean, "epsilon": noise, "velocity": signal * noise - spread * clean}
    return clean, signal * clean + spread * noise, outputs


@pytest.mark.parametrize("target", TARGETS)
def test_clean_inverts_the_forward_process_at_both_ends(target):
    alpha_bar = scaled_linear().double()
    schedule = Schedule(alpha_bar=alpha_bar, target=target)
    time = torch.tensor([0, schedule.last])
    clean, noisy, outputs = _noised(alpha_bar, time)
    torch.testing.assert_close(
        schedule.clean(noisy, outputs[target], time), clean, rtol=1e-10, atol=1e-10
    )


@pytest.mark.parametrize("target", TARGETS)
def test_each_image_has_its_own_timestep(target):
    alpha_bar = scaled_linear().double()
    schedule = Schedule(alpha_bar=alpha_bar, target=target)
    time = torch.tensor([700, 20])
    _, noisy, outputs = _noised(alpha_bar, time)
    together = schedule.clean(noisy, outputs[target], time)
    alone = schedule.clean(noisy[1:], outputs[target][1:], time[1:])
    torch.testing.assert_close(alone[0], together[1], rtol=0, atol=0)


def test_the_published_values_of_stable_diffusion():
    alpha_bar = scaled_linear()
    assert len(alpha_bar) == 1000
    known = {0: 0.99914998, 1: 0.99829602, 249: 0.67543209, 499: 0.27766943, 749: 0.05662345}
    for time, value in (known | {999: 0.00466010}).items():
        assert float(alpha_bar[time]) == pytest.approx(value, abs=2e-8)
    assert float(alpha_bar[999].sqrt()) == pytest.approx(0.06826489, abs=1e-7)
    assert (alpha_bar.diff() < 0).all()


def test_from_zero_noise_the_clean_latent_is_nearly_minus_the_velocity():
    schedule = Schedule(alpha_bar=scaled_linear(), target="velocity")
    velocity = torch.ones(1, 4, 2, 2)
    time = torch.tensor([schedule.last])
    clean = schedule.clean(torch.zeros_like(velocity), velocity, time)
    assert schedule.last == 999
    torch.testing.assert_close(clean, torch.full_like(clean, -0.99766725), rtol=0, atol=1e-7)


def test_other_lengths_and_ends_follow_the_definition():
    alpha_bar = scaled_linear(start=0.01, end=0.04, steps=3)
    beta = torch.tensor([0.1, 0.15, 0.2]).square()
    torch.testing.assert_close(alpha_bar, torch.cumprod(1 - beta, dim=0))


@pytest.mark.parametrize("target", TARGETS)
def test_signal_and_noise_put_together_again_are_the_noisy_latent(target):
    alpha_bar = scaled_linear().double()
    schedule = Schedule(alpha_bar=alpha_bar, target=target)
    time = torch.tensor([3, 800])
    noisy, output = torch.randn(2, 2, 4, 5, 6, dtype=torch.float64)
    signal = alpha_bar[time].sqrt()[:, None, None, None]
    spread = (1 - alpha_bar[time]).sqrt()[:, None, None, None]
    clean, noise = schedule.clean(noisy, output, time), schedule.noise(noisy, output, time)
    torch.testing.assert_close(signal * clean + spread * noise, noisy, rtol=1e-9, atol=1e-9)


def test_rescaling_to_zero_terminal_signal_keeps_the_first_and_clears_the_last():
    before, after = scaled_linear(), zero_terminal_snr(scaled_linear())
    assert float(after[0]) == float(before[0])
    assert float(after[999]) == 0
    assert float(after[1]) == pytest.approx(0.99823350, abs=1e-7)
    assert float(after[499]) == pytest.approx(0.24235900, abs=1e-7)
    assert (after.diff() < 0).all()


def test_alpha_bars_are_those_of_diffusers():
    for schedule, ours in (("scaled_linear", scaled_linear), ("linear", linear)):
        for rescale in (False, True):
            theirs = diffusers.DDIMScheduler(
                beta_schedule=schedule,
                beta_start=0.00085,
                beta_end=0.012,
                rescale_betas_zero_snr=rescale,
            ).alphas_cumprod
            alpha_bar = ours(start=0.00085, end=0.012)
            alpha_bar = zero_terminal_snr(alpha_bar) if rescale else alpha_bar
            torch.testing.assert_close(alpha_bar, theirs, rtol=0, atol=1e-7)
