import diffusers
import pytest
import torch

from monostep.diffusion.sampler import Sampler
from monostep.diffusion.schedule import Schedule, scaled_linear, zero_terminal_snr
from monostep.diffusion.timesteps import timesteps

PREDICTION = {"velocity": "v_prediction", "epsilon": "epsilon", "sample": "sample"}
CONFIG = dict(
    beta_start=0.00085,
    beta_end=0.012,
    beta_schedule="scaled_linear",
    clip_sample=False,
    set_alpha_to_one=False,
)


def _network(latent, time):
    """A smooth function of latent and timestep that stands in for the UNet."""
    return torch.sin(3 * latent + time / 300)


def _noise(draws, seed=0):
    return torch.randn(draws, 2, 4, 5, 6, generator=torch.Generator().manual_seed(seed))


def _schedule(target="velocity", *, rescaled=False, **kind):
    alpha_bar = zero_terminal_snr(scaled_linear()) if rescaled else scaled_linear()
    return Schedule(alpha_bar=alpha_bar, target=target, **kind)


# Noise says nothing about a latent that is all noise: hence not epsilon with zero signal.
KINDS = [("velocity", False), ("velocity", True), ("sample", False), ("sample", True)]


@pytest.mark.parametrize(("target", "rescaled"), [*KINDS, ("epsilon", False)])
@pytest.mark.parametrize("spacing", ["trailing", "leading", "linspace"])
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 10])
def test_ddim_goes_the_way_of_diffusers(steps, spacing, target, rescaled):
    schedule = _schedule(target, rescaled=rescaled)
    theirs = diffusers.DDIMScheduler(
        **CONFIG,
        prediction_type=PREDICTION[target],
        steps_offset=1,
        timestep_spacing=spacing,
        rescale_betas_zero_snr=rescaled,
    )
    theirs.set_timesteps(steps)
    sampler = Sampler(schedule=schedule, times=timesteps(schedule, spacing=spacing, steps=steps))
    noise = _noise(sampler.draws)
    latent = noise[0]
    for step, time in zip(sampler.way(_network, noise), theirs.timesteps, strict=True):
        assert step.time == time
        result = theirs.step(_network(latent, time), time, latent)
        latent = result.prev_sample
        torch.testing.assert_close(step.clean, result.pred_original_sample, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(step.previous, latent, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("steps", [1, 2, 4, 8])
def test_lcm_goes_the_way_of_diffusers_with_the_same_fresh_noise(steps):
    schedule = _schedule(sampler="lcm")
    theirs = diffusers.LCMScheduler(
        **CONFIG, prediction_type="v_prediction", original_inference_steps=50
    )
    theirs.set_timesteps(steps)
    sampler = Sampler(schedule=schedule, times=timesteps(schedule, spacing="lcm", steps=steps))
    generator = torch.Generator().manual_seed(0)
    latent = torch.randn(2, 4, 5, 6, generator=generator)
    for time in theirs.timesteps:
        result = theirs.step(_network(latent, time), time, latent, generator=generator)
        latent = result.prev_sample
    draws = torch.Generator().manual_seed(0)
    noise = torch.stack([torch.randn(2, 4, 5, 6, generator=draws) for _ in range(sampler.draws)])
    torch.testing.assert_close(sampler.end(_network, noise), latent, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("target", PREDICTION)
@pytest.mark.parametrize("steps", [1, 2, 5, 50])
def test_a_network_that_knows_the_answer_is_followed_to_it(steps, target):
    schedule = _schedule(target)
    answer = _noise(1, seed=9)[0]

    def knows(latent, time):
        signal = schedule.alpha_bar[time].sqrt()
        spread = (1 - schedule.alpha_bar[time]).sqrt()
        eps = (latent - signal * answer) / spread
        return {"sample": answer, "epsilon": eps, "velocity": signal * eps - spread * answer}[
            target
        ]

    times = timesteps(schedule, spacing="trailing", steps=steps)
    end = Sampler(schedule=schedule, times=times).end(knows, _noise(1))
    torch.testing.assert_close(end, answer, rtol=1e-3, atol=1e-3)


def test_the_two_ends_by_name_and_their_published_ratio():
    schedule = _schedule()
    constant = lambda latent, time: torch.full_like(latent, -1.0)  # noqa: E731, ARG005
    zeros = torch.zeros(1, 1, 4, 2, 2)
    ends = {
        last: Sampler(schedule=schedule, times=(999,), last=last).end(constant, zeros)
        for last in ("clean", "previous")
    }
    torch.testing.assert_close(ends["clean"], torch.full((1, 4, 2, 2), 0.99766725))
    ratio = float((ends["previous"] / ends["clean"]).mean())
    assert ratio == pytest.approx(0.99758, abs=1e-5)


def test_from_zero_signal_the_first_clean_latent_does_not_depend_on_the_noise():
    schedule = _schedule(rescaled=True)
    constant = lambda latent, time: torch.full_like(latent, 0.3)  # noqa: E731, ARG005
    sampler = Sampler(schedule=schedule, times=(999,))
    torch.testing.assert_close(sampler.end(constant, _noise(1)), torch.full((2, 4, 5, 6), -0.3))


def test_one_leading_step_returns_its_noise_and_one_trailing_step_does_not():
    """Figure 1 of the paper, on a network that is right wherever it is told the truth.

    It was trained on z_t = sqrt(abar) z_0 + sqrt(1 - abar) noise; being linear, it takes what it is
    told to be signal for signal.
    """
    schedule = _schedule()
    answer = 0.8 * torch.ones(2, 4, 5, 6)

    def trained(latent, time):
        alpha_bar = schedule.alpha_bar[time]
        signal, spread = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
        # posterior mean of z_0 = answer + unit spread, linear in the latent
        clean = answer + signal * (latent - signal * answer)
        eps = (latent - signal * clean) / spread
        return signal * eps - spread * clean

    noise = _noise(1)
    errors, likeness = {}, {}
    for spacing in ("leading", "trailing"):
        times = timesteps(schedule, spacing=spacing, steps=1)
        end = Sampler(schedule=schedule, times=times).end(trained, noise)
        errors[spacing] = float((end - answer).square().mean().sqrt())
        both = torch.stack([(end - answer).flatten(), noise.flatten()])
        likeness[spacing] = float(torch.corrcoef(both)[0, 1])
    assert errors["leading"] > 0.9  # the noise has spread 1
    assert errors["trailing"] < 0.1
    assert likeness["leading"] > 0.999


@pytest.mark.parametrize(
    ("spacing", "steps", "step", "told", "given"),
    [
        ("leading", 1, 0, 0.99915, 0.0),
        ("trailing", 1, 0, 0.06826, 0.0),
        ("leading", 2, 1, 0.99915, 0.99915),
        ("trailing", 2, 1, 0.52694, 0.52694),
        ("linspace", 2, 1, 0.99957, 0.52694),
    ],
)
def test_what_the_network_is_told_and_what_it_gets(spacing, steps, step, told, given):
    schedule = _schedule()
    times = timesteps(schedule, spacing=spacing, steps=steps)
    signals = Sampler(schedule=schedule, times=times).signals
    assert len(signals) == steps
    assert signals[step] == pytest.approx((told, given), abs=2e-4)


@pytest.mark.parametrize(
    ("time", "skip", "out"),
    [(0, 1.0, 0.0), (999, 2.505e-9, 1 - 1.2525e-9), (1, 0.0024938, 0.99875)],
)
def test_the_boundary_condition_of_consistency_models(time, skip, out):
    sampler = Sampler(schedule=_schedule("sample", sampler="lcm"), times=(time,))
    zeros, ones = torch.zeros(1, 1, 4, 2, 2), torch.ones(1, 1, 4, 2, 2)
    only_latent = sampler.end(lambda latent, _: torch.zeros_like(latent), ones)
    only_clean = sampler.end(lambda latent, _: torch.ones_like(latent), zeros)
    assert float(only_latent.mean()) == pytest.approx(skip, rel=1e-3)
    assert float(only_clean.mean()) == pytest.approx(out, rel=1e-4)
