import numpy as np
import pytest
import torch
from PIL import Image

from monostep.data.procedural import render
from monostep.recipes import recipe
from monostep.training import source
from monostep.training.overriding import override


@pytest.fixture
def folder(tmp_path):
    for index in range(20):
        pixels = np.full((12, 12, 3), 10 * index, dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{index:02}.png")
    return tmp_path


def _levels(images, count):
    return {round(v) for v in (images.fetch(range(count), (4, 4)).image[:, 0, 0, 0] * 255).tolist()}


def test_without_a_folder_images_are_the_procedural_scenes_of_the_seed():
    config = override(recipe("distil-decoder"), ["scene_seed=5", "validation_scenes=3"])
    ours = source.training(config).fetch([0, 7], (8, 8)).image
    assert torch.equal(ours, render(5, [0, 7], (8, 8)).image)
    held_out, count = source.validation(config)
    assert count == 3
    assert torch.equal(held_out.fetch([1], (8, 8)).image, render(2, [1], (8, 8)).image)


@pytest.mark.parametrize(("wanted", "count"), [(96, 2), (1, 1)])
def test_photographs_that_are_measured_on_are_not_learned_from(folder, wanted, count):
    settings = [f"images={folder}", f"validation_scenes={wanted}"]
    config = override(recipe("distil-decoder"), settings)
    learned = _levels(source.training(config), 20)
    held_out, number = source.validation(config)
    measured = _levels(held_out, number)
    assert len(measured) == number == count
    assert not learned & measured
    assert len(learned | measured) == 20
