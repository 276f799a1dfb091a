import pytest

from monostep.recipes import marigold
from monostep.recipes.paper import marigold_e2e_depth
from monostep.training.diffusion_config import DiffusionConfig
from monostep.training.optimiser import learning_rate_fraction

RECIPES = (
    marigold.marigold_depth,
    marigold.marigold_depth_v1_1,
    marigold.marigold_normals,
    marigold.marigold_normals_v1_1,
    marigold.marigold_lcm,
    marigold.latent_e2e,
)


@pytest.mark.parametrize("make", RECIPES)
def test_every_recipe_names_itself_and_says_command_score_hours_and_memory(make):
    config = make()
    assert config.recipe == make.__name__.replace("_", "-")
    assert f"monostep train {config.recipe} -o runs/{config.recipe}" in make.__doc__
    assert "NYUv2" in make.__doc__
    assert "ours" in make.__doc__  # hours
    assert len(config.weights) == len(config.data)
    assert sum(phase[3] for phase in config.phases) * config.accumulate == 32


def test_stage_1_has_marigolds_settings():
    depth = marigold.marigold_depth()
    assert (depth.optimiser, depth.weight_decay, depth.learning_rate) == ("adam", 0, 3e-5)
    assert (depth.training_noise, depth.noise_strength, depth.noise_annealed) == (
        "original",
        0.9,
        True,
    )
    assert depth.weights == (9, 1)
    assert depth.masked
    assert not depth.zero_snr
    assert depth.average == 0
    rates = [
        depth.learning_rate
        * learning_rate_fraction(
            step, total=depth.steps, warmup=depth.warmup, final_fraction=depth.final_fraction
        )
        for step in (50, 100, 25_000)
    ]
    assert rates == pytest.approx([1.5e-5, 3e-5, 3e-7])


def test_version_1_1_ends_without_signal_and_its_normals_vary_their_images():
    assert marigold.marigold_depth_v1_1().zero_snr
    normals = marigold.marigold_normals_v1_1()
    assert normals.zero_snr
    assert normals.frame == "opengl"
    assert (normals.learning_rate, normals.weights) == (6e-5, (50, 49, 1))
    assert (normals.jitter, normals.blur, normals.motion_blur) == (0.3, 0.3, 0.3)
    assert not normals.masked
    plain = marigold.marigold_normals()
    assert (plain.jitter, plain.weights, plain.task) == (0, (9, 1), "normals")
    assert isinstance(plain, DiffusionConfig)


def test_the_latent_run_differs_from_the_decoded_one_in_its_loss_alone():
    latent, decoded = marigold.latent_e2e().as_dict(), marigold_e2e_depth().as_dict()
    other = {name for name in decoded if latent[name] != decoded[name]}
    assert other == {"recipe", "clip_target"}  # the latent's depth is always clamped
