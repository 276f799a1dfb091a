import pytest

from monostep.network.sizes import MINIATURE_AUTOENCODER
from monostep.recipes import RECIPES, recipe

MINIATURES = [name for name in RECIPES if name.startswith("miniature-")]
OF_MAPS = [name for name in MINIATURES if name not in ("miniature-autoencoder", "miniature-base")]


@pytest.mark.parametrize("name", MINIATURES)
def test_all_see_equal_scenes_of_whole_latent_cells(name):
    config, base = recipe(name), recipe("miniature-base")
    assert (config.scenes, config.scene_seed) == (base.scenes, base.scene_seed)
    assert config.phases[0][1:3] == base.phases[0][1:3]
    config.check_sizes(MINIATURE_AUTOENCODER.factor)


@pytest.mark.parametrize(
    "name", ["miniature-latent", "miniature-e2e-normals", "miniature-geometry"]
)
def test_what_is_compared_end_to_end_has_equal_budgets(name):
    one, other = recipe(name).as_dict(), recipe("miniature-e2e-depth").as_dict()
    for setting in ("steps", "phases", "accumulate", "learning_rate", "final_fraction", "warmup"):
        assert one[setting] == other[setting]
