import warnings

import diffusers
import marigold_folders
import pytest
import torch

from monostep.checkpoints import scheduler
from monostep.diffusion.schedule import Schedule, linear, scaled_linear, zero_terminal_snr
from monostep.errors import CheckpointError

ALPHA_BARS = {
    "plain": scaled_linear(),
    "zero-snr": zero_terminal_snr(scaled_linear()),
    "short": scaled_linear(steps=100),
    "linear": linear(start=0.0001, end=0.02),
}
# Noise says nothing of a latent that is all noise: that pair is refused.
MEANT = [
    (name, target)
    for name in ALPHA_BARS
    for target in ("sample", "epsilon", "velocity")
    if (name, target) != ("zero-snr", "epsilon")
]


def theirs(config):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(diffusers, config["_class_name"]).from_config(config)


def same(one: Schedule, other: Schedule, *, atol: float = 0) -> None:
    torch.testing.assert_close(one.alpha_bar, other.alpha_bar, rtol=0, atol=atol)
    rest = [{k: v for k, v in vars(each).items() if k != "alpha_bar"} for each in (one, other)]
    assert rest[0] == rest[1]


@pytest.mark.parametrize("sampler", ["ddim", "lcm"])
@pytest.mark.parametrize(("name", "target"), MEANT)
def test_a_schedule_survives_its_file(name, sampler, target):
    schedule = Schedule(
        alpha_bar=ALPHA_BARS[name],
        target=target,
        sampler=sampler,
        offset=0,
        ends_clean=True,
        coarse=40 if sampler == "lcm" else 50,
        time_scale=5.0 if sampler == "lcm" else 10.0,
    )
    # A schedule that has no name in the file is written beta by beta, rounded once more.
    atol = 1e-6 if name == "linear" else 0
    same(scheduler.from_json(scheduler.to_json(schedule, "trailing")), schedule, atol=atol)


@pytest.mark.parametrize("name", ALPHA_BARS)
@pytest.mark.parametrize("sampler", ["ddim", "lcm"])
def test_diffusers_makes_the_same_alphas_of_what_is_written(name, sampler):
    schedule = Schedule(alpha_bar=ALPHA_BARS[name], target="velocity", sampler=sampler)
    made = theirs(scheduler.to_json(schedule, "trailing"))
    atol = 1e-6 if name == "linear" else 0
    torch.testing.assert_close(made.alphas_cumprod, schedule.alpha_bar, rtol=0, atol=atol)
    assert made.config.prediction_type == "v_prediction"
    assert made.config.timestep_spacing == "trailing"
    assert made.config.steps_offset == schedule.offset
    assert float(made.final_alpha_cumprod) == pytest.approx(float(schedule.ending), abs=1e-6)


@pytest.mark.parametrize("kind", [*marigold_folders.SCHEDULERS, "marigold-depth-v1-0"])
def test_published_files_give_the_alphas_diffusers_gives(kind):
    config = marigold_folders.SCHEDULERS.get(kind, marigold_folders.SCHEDULER)
    schedule, made = scheduler.from_json(config), theirs(config)
    assert torch.equal(schedule.alpha_bar, made.alphas_cumprod)
    assert schedule.target == "velocity"
    assert schedule.sampler == ("lcm" if kind == "marigold-lcm" else "ddim")
    assert float(schedule.ending) == float(made.final_alpha_cumprod)


@pytest.mark.parametrize(
    "config",
    [
        {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02},
        {"trained_betas": [0.1, 0.2, 0.3], "num_train_timesteps": 3},
        {"num_train_timesteps": 500, "beta_schedule": "scaled_linear"},
    ],
)
def test_other_noise_schedules_are_read_as_diffusers_does(config):
    made = theirs({**marigold_folders.SCHEDULER, **config})
    ours = scheduler.from_json({**marigold_folders.SCHEDULER, **config})
    torch.testing.assert_close(ours.alpha_bar, made.alphas_cumprod, rtol=0, atol=1e-7)


def test_what_a_file_leaves_out_is_as_the_family_was_trained():
    full = scheduler.from_json(marigold_folders.SCHEDULER)
    same(scheduler.from_json({}), full)
    same(scheduler.from_json(dict.fromkeys(scheduler.TRAINED)), full)
    assert full.offset == 1
    assert full.ends_clean is False
    assert float(full.alpha_bar[999]) == pytest.approx(0.00466010, abs=1e-8)


@pytest.mark.parametrize(
    "name", ["PNDMScheduler", "DDPMScheduler", "EulerDiscreteScheduler", "DDIMScheduler"]
)
def test_other_samplers_of_the_same_schedule_are_walked_as_ddim(name):
    config = {**marigold_folders.SCHEDULER, "_class_name": name}
    same(scheduler.from_json(config), scheduler.from_json(marigold_folders.SCHEDULER))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"_class_name": "FlowMatchEulerDiscreteScheduler"}, "_class_name 'FlowMatch"),
        ({"beta_schedule": "squaredcos_cap_v2"}, "expected one of linear, scaled_linear"),
        ({"prediction_type": "flow"}, "expected one of epsilon, sample, v_prediction"),
        ({"clip_sample": True}, "clip_sample is true"),
        ({"thresholding": True}, "thresholding is true"),
        ({"beta_start": "small"}, "expected numbers"),
        ({"num_train_timesteps": -4}, "expected numbers"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(change, message):
    with pytest.raises(CheckpointError, match=message):
        scheduler.from_json({**marigold_folders.SCHEDULER, **change})


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"prediction_type": "epsilon", "rescale_betas_zero_snr": True}, "all noise"),
        ({"steps_offset": -5}, "steps_offset -5"),
        ({"steps_offset": 1000}, "steps_offset 1000"),
    ],
)
def test_what_would_divide_by_zero_or_leave_the_schedule_is_refused(config, words):
    with pytest.raises(CheckpointError, match=words):
        scheduler.from_json(config)
