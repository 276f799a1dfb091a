import pytest

from monostep.checkpoints import embedded, folder
from monostep.data.manifest import Declaration
from monostep.recipes import own
from monostep.training.relative_truth import check_learned
from monostep.training.truth_config import TruthConfig

RECIPES = (own.finetune_depth, own.finetune_normals, own.self_train)


@pytest.mark.parametrize("make", RECIPES)
def test_every_recipe_names_itself_and_its_command(make):
    config = make()
    assert type(config) is TruthConfig
    assert config.recipe == make.__name__.replace("_", "-")
    assert f"monostep train {config.recipe} -o runs/" in make.__doc__


@pytest.mark.parametrize("make", RECIPES)
def test_it_begins_with_a_model_of_its_task_at_that_models_size(make):
    config = make()
    card = folder.read_card(embedded.locate(config.start))
    assert card.task == config.task
    assert card.resolution == max(config.phases[-1][1:3])
    assert config.align_from == 0  # its start knows near from far


@pytest.mark.parametrize("make", RECIPES)
def test_it_takes_manifests_of_any_unit(make):
    assert "procedural" not in make().sources
    for unit in ("m", "mm", "relative"):
        check_learned(make(), Declaration(name="own", unit=unit))


def test_labels_are_never_measured_on():
    config = own.self_train()
    assert len(config.weights) == len(config.data) == 2
    assert config.validation_data
    assert not set(config.validation_data) & set(config.data)
