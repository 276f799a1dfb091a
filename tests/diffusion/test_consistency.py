import warnings

import pytest
import torch

from monostep.diffusion import consistency, forward
from monostep.diffusion.sampler import Sampler
from monostep.diffusion.schedule import Schedule, scaled_linear, zero_terminal_snr
from monostep.diffusion.timesteps import timesteps

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import diffusers

SCHEDULE = Schedule(alpha_bar=scaled_linear(), target="velocity", sampler="lcm")


@pytest.fixture
def latents():
    return torch.randn(2, 5, 4, 3, 6, generator=torch.Generator().manual_seed(0)).unbind()


# laws


def test_at_time_0_it_is_the_latent_itself_whatever_the_network_says(latents):
    clean, noisy = latents
    start = torch.zeros(5, dtype=torch.long)
    assert torch.equal(consistency.consistent(SCHEDULE, clean, noisy, start), noisy)


def test_far_from_time_0_it_is_what_the_network_says(latents):
    clean, noisy = latents
    far = torch.full((5,), 999)
    torch.testing.assert_close(
        consistency.consistent(SCHEDULE, clean, noisy, far), clean, rtol=1e-6, atol=1e-7
    )


def test_the_grid_is_the_one_that_prediction_visits():
    every = timesteps(SCHEDULE, spacing="lcm", steps=50)
    assert consistency.grid(SCHEDULE).tolist() == sorted(every)
    assert consistency.grid(SCHEDULE)[[0, 1, -1]].tolist() == [19, 39, 999]


def test_skips_go_down_the_grid_and_end_at_0():
    places = torch.tensor([0, 1, 4, 49])
    assert consistency.earlier(SCHEDULE, places, 1).tolist() == [0, 19, 79, 979]
    assert consistency.earlier(SCHEDULE, places, 3).tolist() == [0, 0, 39, 939]
    assert consistency.earlier(SCHEDULE, places, 50).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("skip", [1, 5, 50])
@pytest.mark.parametrize("zero_snr", [False, True])
def test_the_trajectory_of_a_point_is_followed_exactly(skip, zero_snr, latents):
    """Where all data is one latent its estimate is exact, and so is a step of any length."""
    clean, noise = (one.double() for one in latents)
    alpha_bar = zero_terminal_snr(scaled_linear()) if zero_snr else scaled_linear()
    schedule = Schedule(alpha_bar=alpha_bar.double(), target="velocity", sampler="lcm")
    places = torch.tensor([0, 4, 20, 48, 49])
    times = consistency.grid(schedule)[places]
    before = consistency.earlier(schedule, places, skip)
    noisy = forward.noisy(schedule, clean, noise, times)
    said = forward.target(schedule, clean, noise, times)
    found = forward.noisy(
        schedule,
        schedule.clean(noisy, said, times),
        schedule.noise(noisy, said, times),
        before,
    )
    torch.testing.assert_close(found, forward.noisy(schedule, clean, noise, before))


def test_the_loss_is_quadratic_near_and_linear_far_from_agreement():
    near, far = torch.tensor([1e-5, -1e-5]), torch.tensor([2.0, -2.0])
    torch.testing.assert_close(
        consistency.pseudo_huber(near.double(), 1e-3), near.double() ** 2 / 2e-3, rtol=1e-4, atol=0
    )
    torch.testing.assert_close(
        consistency.pseudo_huber(far, 1e-3), torch.full((2,), 1.999), rtol=1e-5, atol=0
    )
    zero = torch.zeros(1, requires_grad=True)
    consistency.pseudo_huber(zero, 1e-3).sum().backward()
    assert zero.grad == 0


# agreement


@pytest.mark.parametrize("time", [0, 1, 19, 500, 999])
def test_the_boundary_condition_is_diffusers(time, latents):
    clean, noisy = latents
    skip, out = diffusers.LCMScheduler().get_scalings_for_boundary_condition_discrete(time)
    ours = consistency.consistent(SCHEDULE, clean, noisy, torch.full((5,), time))
    torch.testing.assert_close(ours, out * clean + skip * noisy)


def test_the_boundary_condition_is_the_samplers(latents):
    """One step of a model that says the same everywhere, by both."""
    said, noisy = latents
    for time in (19, 499):
        sampler = Sampler(schedule=SCHEDULE, times=(time,), last="clean")
        ended = sampler.end(lambda _z, _t: said, noisy[None])
        when = torch.full((5,), time)
        clean = SCHEDULE.clean(noisy, said, when)
        torch.testing.assert_close(
            consistency.consistent(SCHEDULE, clean, noisy, when), ended, rtol=1e-6, atol=1e-7
        )


def test_the_solved_step_is_diffusers_ddim(latents):
    said, noisy = latents
    theirs = diffusers.DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=False,
    )
    theirs.set_timesteps(50)
    for place in (0, 1, 30, 49):
        time = consistency.grid(SCHEDULE)[place]
        when, before = time.expand(5), consistency.earlier(SCHEDULE, torch.tensor([place] * 5), 1)
        ours = forward.noisy(
            SCHEDULE, SCHEDULE.clean(noisy, said, when), SCHEDULE.noise(noisy, said, when), before
        )
        torch.testing.assert_close(ours, theirs.step(said, time, noisy).prev_sample)
