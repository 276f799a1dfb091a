import dataclasses

import pytest

from monostep.checkpoints import registry
from monostep.recipes import RECIPES, paper, recipe
from monostep.training.optimiser import learning_rate_fraction

NAMES = [
    "marigold-e2e-depth",
    "marigold-e2e-normals",
    "sd-e2e-depth",
    "sd-e2e-depth-4ch",
    "sd-e2e-normals",
    "e2e-parity-depth",
    "e2e-parity-normals",
]
SWITCHES = {  # beyond the paper: its recipes have them all off
    "quantity": "depth",
    "gradient_weight": 0.0,
    "train_decoder": False,
    "average": 0.0,
    "depth_unit": "metre",
    "stop": None,
}


@pytest.mark.parametrize("name", NAMES)
def test_the_settings_are_the_published_ones(name):
    config = recipe(name)
    assert (config.steps, config.phases, config.accumulate) == (20_000, ((0, 480, 640, 2),), 16)
    assert (config.optimiser, config.learning_rate, config.weight_decay) == ("adamw", 3e-5, 1e-2)
    assert (config.beta1, config.beta2, config.clip) == (0.9, 0.999, 1)
    assert (config.warmup, config.final_fraction, config.precision) == (100, 0.01, "fp32")
    assert config.weights == (9, 1)
    assert len(config.data) == 2
    assert config.flip
    if config.task == "depth":
        assert config.sky_weight == 0
        assert config.clip_target
    for switch, off in SWITCHES.items():
        assert getattr(config, switch) == off, switch


@pytest.mark.parametrize(
    ("step", "rate"),
    [
        (0, 0.0),
        (1, 3.0e-7),
        (50, 1.5e-5),
        (100, 3.0e-5),
        (1000, 2.43595e-5),
        (5000, 9.65293e-6),
        (10_000, 3.03491e-6),
        (15_000, 9.54188e-7),
        (19_999, 3.00069e-7),
        (20_000, 3.0e-7),
    ],
)
def test_the_learning_rates_are_the_published_ones(step, rate):
    config = recipe("sd-e2e-depth")
    share = learning_rate_fraction(
        step, total=config.steps, warmup=config.warmup, final_fraction=config.final_fraction
    )
    assert config.learning_rate * share == pytest.approx(rate, rel=1e-5)


@pytest.mark.parametrize("name", ["depth", "normals"])
def test_parity_has_every_choice_of_the_published_script(name):
    config = recipe(f"e2e-parity-{name}")
    assert (config.pool, config.prompt_tokens, config.halve_bias) == ("batch", 77, True)
    if name == "depth":
        assert (config.align_from, config.clip_target) == (0, True)
        assert (config.depth_unit, config.sky_weight) == ("metre", 0)
    else:
        assert config.frame == "dsine"
    again = paper.parity(config)
    assert again == config
    ours = recipe(f"sd-e2e-{name}")
    changed = {
        field.name
        for field in dataclasses.fields(ours)
        if getattr(ours, field.name) != getattr(config, field.name)
    }
    others = paper.PARITY_OF_DEPTH if name == "depth" else paper.PARITY_OF_NORMALS
    assert changed <= {*paper.PARITY, *others, "recipe"}
    assert {"pool", "prompt_tokens", "halve_bias", "recipe"} <= changed


def test_only_four_channels_go_without_noise():
    assert {name for name in NAMES if recipe(name).noise == "none"} == {"sd-e2e-depth-4ch"}
    assert all(recipe(name).noise in ("zeros", "none") for name in NAMES)


@pytest.mark.parametrize("name", ["marigold-e2e-depth", "sd-e2e-depth", "sd-e2e-normals"])
def test_the_starts_are_known_to_the_registry(name):
    published = registry.find(recipe(name).start)
    assert published.task in (None, recipe(name).task)


@pytest.mark.parametrize(
    ("name", "alias", "measure", "decimals"),
    [
        ("marigold-e2e-depth", "e2e-depth", "delta1", 1),
        ("marigold-e2e-normals", "e2e-normals", "within_11.25_deg", 1),
        ("sd-e2e-depth", "sd-e2e-depth", "delta1", 1),
        ("sd-e2e-normals", "sd-e2e-normals", "within_11.25_deg", 1),
    ],
)
def test_the_told_scores_are_those_of_the_registry(name, alias, measure, decimals):
    (row,) = registry.find(alias).scores.values()
    for data_set, scores in row.items():
        error = scores.get("mean_angle_deg") or 100 * scores["abs_rel"]
        told = f"{data_set} {error:.{decimals}f} / {100 * scores[measure]:.{decimals}f}"
        assert told in " ".join(RECIPES[name].__doc__.split())
