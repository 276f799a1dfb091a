import json

import pytest
import torch

from monostep.checkpoints import embedded, folder
from monostep.errors import CheckpointError
from monostep.recipes import recipe
from monostep.training.start import FREE
from monostep.training.truth_config import CHANGES

# What README's last stages of the nano models say on the command line.
OF_ROOMS = {*CHANGES, "data", "weights", "steps", "validate_every"}
OF_ROOMS |= {"accumulate", "scenes", "learning_rate", "seed"}
LIMIT_BYTES = 40_000_000


@pytest.mark.parametrize("name", embedded.names())
def test_each_embedded_model_is_whole_and_honest(name):
    model, card = folder.load(embedded.locate(name), verify=True)
    assert card.grade == "self-test"
    assert card.name == name
    assert card.licence == "Apache-2.0"
    assert card.scores["test"]
    assert card.recipe["recipe"] == name
    with torch.no_grad():
        assert torch.isfinite(model(torch.zeros(1, 3, 32, 32))).all()


def test_they_are_those_of_the_readme():
    assert embedded.names() == ["miniature-depth", "nano-depth", "nano-normals"]


def test_the_embedded_models_are_small():
    files = [path for path in embedded.ROOT.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= LIMIT_BYTES


def test_a_name_that_is_neither_model_nor_folder_lists_the_models():
    with pytest.raises(CheckpointError, match="miniature-depth, nano-depth, nano-normals"):
        embedded.locate("nano-deep")


@pytest.mark.parametrize("name", embedded.names())
def test_the_card_tells_the_recipe_that_is_in_the_package(name):
    told = folder.read_card(embedded.locate(name)).recipe
    config = json.loads(json.dumps(recipe(name).as_dict()))  # as it was stored: tuples are lists
    where = {*FREE, "autoencoder", "start", "train_encoder", "train_decoder"}  # as README says
    where |= OF_ROOMS if name.startswith("nano-") else set()
    # Settings that came later are not in the card; those of then are as they were.
    assert {k: v for k, v in told.items() if k not in where} == {
        k: v for k, v in config.items() if k in told and k not in where
    }
