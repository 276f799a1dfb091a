import pytest

from monostep.recipes import geometry
from monostep.training.geometry_config import GeometryConfig, GeometryDiffusionConfig
from monostep.training.optimiser import learning_rate_fraction
from monostep.training.overriding import override


def _rate(config, step):
    share = learning_rate_fraction(
        step, total=config.steps, warmup=config.warmup, final_fraction=config.final_fraction
    )
    return config.learning_rate * share


def test_the_end_to_end_settings_are_the_published_ones():
    config = geometry.geowizard_e2e()
    assert type(config) is GeometryConfig
    assert (config.steps, config.phases, config.accumulate) == (20_000, ((0, 480, 640, 2),), 16)
    assert (config.depth_weight, config.normals_weight) == (0.5, 1.0)
    assert (config.class_rate, config.noise, config.average) == (10, "zeros", 0)
    assert (config.optimiser, config.weight_decay, config.clip) == ("adamw", 1e-2, 1)
    assert (config.clip_target, config.sky_weight, config.depth_unit) == (True, 0, "metre")
    assert (config.weights, config.recompute, config.precision) == ((9, 1), "unet", "fp32")
    assert config.start == "lemonaddie/geowizard"
    assert not config.train_image_encoder
    constant = override(config, ["final_fraction=1", "warmup=0"])
    assert {_rate(constant, step) for step in (0, 1, 20_000)} == {3e-5}
    for step, rate in ((50, 1.5e-5), (1000, 2.43595e-5), (20_000, 3e-7)):
        assert _rate(config, step) == pytest.approx(rate, rel=1e-5)


def test_geowizards_own_settings_are_the_published_ones():
    config = geometry.geowizard()
    assert type(config) is GeometryDiffusionConfig
    assert config.phases[0][1:] == (576, 768, 4)
    assert config.phases[0][3] * config.accumulate == 256
    assert {_rate(config, step) for step in (0, 1, 5000, 20_000)} == {3e-5}
    assert (config.seed, config.masked, config.average > 0) == (1234, False, True)
    assert (config.training_noise, config.noise) == ("pyramid-geowizard", "gaussian")
    assert (config.depth_weight, config.normals_weight, config.class_rate) == (0.5, 0.5, 1)
    assert not config.halve_bias
    assert config.image_encoder is None


def test_nano_sees_as_many_images_as_the_runs_of_the_log():
    config = geometry.nano_geometry()
    assert (config.steps, config.scenes, config.seed) == (800, 12_000, 0)
    assert config.phases == ((0.0, 48, 64, 16), (0.5, 96, 128, 16))
    assert config.start is None
    assert config.train_image_encoder
