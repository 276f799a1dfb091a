import numpy as np
import own_data
import pytest
import torch
from PIL import Image

from monostep.data import manifest
from monostep.data.manifest import Declaration
from monostep.data.procedural import render
from monostep.errors import SettingError
from monostep.recipes import recipe
from monostep.training import source
from monostep.training.overriding import override


@pytest.fixture(autouse=True, scope="module")
def _drawn():
    """Here it must be the renderer itself."""


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
    (learned,) = source.training(config)
    assert torch.equal(learned.fetch([0, 7], (8, 8)).image, render(5, [0, 7], (8, 8)).image)
    assert learned.name(7) == "scene 7 of seed 5"
    (held_out,) = source.validation(config)
    assert held_out.count == 3
    assert torch.equal(held_out.fetch([1], (8, 8)).image, render(2, [1], (8, 8)).image)


@pytest.mark.parametrize(("wanted", "count"), [(96, 2), (1, 1)])
def test_photographs_that_are_measured_on_are_not_learned_from(folder, wanted, count):
    settings = [f"images={folder}", f"validation_scenes={wanted}"]
    config = override(recipe("distil-decoder"), settings)
    (source_learned,), (held_out,) = source.training(config), source.validation(config)
    learned, measured = _levels(source_learned, 20), _levels(held_out, held_out.count)
    assert len(measured) == held_out.count == count
    assert not learned & measured
    assert len(learned | measured) == 20


def _manifest(folder, splits, name="own", **declared):
    rows = [own_data.row(folder, name=f"{name}{k}", split=split) for k, split in enumerate(splits)]
    path = folder / f"{name}.jsonl"
    manifest.write(path, Declaration(name=name, **declared), rows)
    return path


def _names(each):
    return {each.name(index) for index in range(each.count)}


def _config(*settings, name="nano-depth"):
    return override(recipe(name), list(settings))


def test_a_manifest_that_names_its_splits_is_learned_from_as_it_says(tmp_path):
    path = _manifest(tmp_path, ["train", None, "val", "validation", "test"])
    config = _config(f"data={path}")
    (learned,), (measured,) = source.training(config), source.validation(config)
    assert (learned.count, measured.count) == (2, 2)
    assert not _names(learned) & _names(measured)
    assert _names(measured) != _names(learned)


def test_a_tenth_is_held_out_of_a_manifest_without_splits(tmp_path):
    path = _manifest(tmp_path, [None] * 20)
    config = _config(f"data={path}")
    (learned,), (measured,) = source.training(config), source.validation(config)
    assert (learned.count, measured.count) == (18, 2)
    assert not _names(learned) & _names(measured)


def test_nothing_is_held_out_where_other_images_are_validated_on(tmp_path):
    path = _manifest(tmp_path, [None] * 12)
    other = _manifest(tmp_path, [None, "val", "train", "test"], name="other")
    config = _config(f"data={path}", f"validation_data={other}")
    (learned,), (measured,) = source.training(config), source.validation(config)
    assert (learned.count, measured.count) == (12, 2)
    scenes = _config(f"data={path}", "validation_data=procedural", "validation_scenes=5")
    assert source.validation(scenes)[0].count == 5


def test_validation_is_shared_between_the_sources(tmp_path):
    path = _manifest(tmp_path, ["train", *["val"] * 9])
    config = _config(f"data={path},procedural", "validation_scenes=8")
    assert [each.count for each in source.validation(config)] == [4, 4]
    assert len(source.training(config)) == 2


@pytest.mark.parametrize(
    ("recipe_name", "splits", "declared", "message"),
    [
        ("nano-depth", ["test", "val"], {}, "no row to learn from"),
        ("nano-depth", ["train"], {}, "no row to validate on"),
        ("nano-depth", ["train"] * 40, {}, "no row to validate on"),
        ("nano-normals", ["train", "val"], {}, "rows with neither normals"),
        ("nano-depth", ["train", "val"], {"unit": "relative"}, "choose depth_unit image"),
    ],
)
def test_data_that_do_not_serve_the_recipe_are_one_clear_line(
    tmp_path, recipe_name, splits, declared, message
):
    path = _manifest(tmp_path, splits, **declared)
    config = _config(f"data={path}", name=recipe_name)
    with pytest.raises(SettingError, match=message) as error:
        source.training(config), source.validation(config)
    assert "\n" not in str(error.value)


def test_a_source_that_only_teaches_leaves_validation_to_the_others(tmp_path):
    path = _manifest(tmp_path, ["train"] * 3)
    other = _manifest(tmp_path, ["train", "val"], name="other")
    (measured,) = source.validation(_config(f"data={path},{other}"))
    assert measured.count == 1
