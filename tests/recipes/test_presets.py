import dataclasses

import pytest

from monostep.errors import SettingError
from monostep.recipes import recipe
from monostep.recipes.presets import PRESETS, preset

CHANGED = {"phases", "accumulate", "precision", "recompute", "optimiser"}


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("run", ["marigold-e2e-depth", "sd-e2e-normals"])
def test_a_step_has_as_many_images_as_before(run, name):
    before = recipe(run)
    after = preset(before, name)
    ((start, height, width, images),) = after.phases
    assert images * after.accumulate == 32
    assert (start, height, width) == before.phases[0][:3]
    for field in dataclasses.fields(before):
        if field.name not in CHANGED:
            assert getattr(after, field.name) == getattr(before, field.name)


def test_more_memory_means_larger_portions_and_less_computed_twice():
    made = [preset(recipe("sd-e2e-depth"), name) for name in PRESETS]
    images = [config.phases[0][3] for config in made]
    assert images == sorted(images)
    order = ["all", "all", "unet", "none"]
    assert [config.recompute for config in made] == order
    assert [config.optimiser for config in made] == ["adamw8bit", "adamw", "adamw", "adamw"]


def test_two_maps_of_an_image_are_half_as_many_images():
    for run, whole in (("geowizard-e2e", 32), ("geowizard", 256)):
        for name in ("24GB", "48GB", "80GB"):
            config = preset(recipe(run), name)
            assert config.phases[0][3] * 2 == PRESETS[name][0]
            assert config.phases[0][3] * config.accumulate == whole
        with pytest.raises(SettingError, match="choose 24GB or more"):
            preset(recipe(run), "16GB")


def test_a_preset_of_a_preset_is_the_last():
    config = recipe("sd-e2e-depth")
    assert preset(preset(config, "80GB"), "24GB") == preset(config, "24GB")


def test_phases_of_equal_steps_stay_equal():
    config = dataclasses.replace(
        recipe("nano-depth"), phases=((0.0, 48, 64, 8), (0.5, 96, 128, 8)), accumulate=2
    )
    assert preset(config, "48GB").phases == ((0.0, 48, 64, 4), (0.5, 96, 128, 4))
    assert preset(config, "48GB").accumulate == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"phases": ((0.0, 48, 64, 8), (0.5, 96, 128, 4))}, r"steps of \[4, 8\] images"),
        ({"phases": ((0.0, 48, 64, 3),)}, r"steps of \[3\] images, expected one multiple of 4"),
    ],
)
def test_steps_that_cannot_be_divided_are_refused(changes, message):
    config = dataclasses.replace(recipe("nano-depth"), **changes)
    with pytest.raises(SettingError, match=message):
        preset(config, "48GB")


def test_where_images_are_averaged_together_they_stay_as_many():
    parity = recipe("e2e-parity-depth")
    assert preset(parity, "24GB").phases == parity.phases
    for name in PRESETS.keys() - {"24GB"}:
        with pytest.raises(SettingError, match=r"e2e-parity-depth of \[2\].*one by one") as error:
            preset(parity, name)
        assert "\n" not in str(error.value)
        assert preset(dataclasses.replace(parity, pool="image"), name).pool == "image"


def test_an_unknown_preset_lists_the_known_ones():
    with pytest.raises(SettingError, match="choose 16GB, 24GB, 48GB, 80GB"):
        preset(recipe("sd-e2e-depth"), "12GB")
