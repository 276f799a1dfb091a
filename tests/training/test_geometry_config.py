import pytest

from monostep.errors import SettingError
from monostep.recipes import recipe
from monostep.training.config import TrainConfig
from monostep.training.diffusion_config import DiffusionConfig
from monostep.training.geometry_config import GeometryConfig, GeometryDiffusionConfig
from monostep.training.overriding import override

RECIPES = {
    "geowizard-e2e": GeometryConfig,
    "geowizard": GeometryDiffusionConfig,
    "nano-geometry": GeometryConfig,
    "finetune-geometry": GeometryConfig,
}


@pytest.mark.parametrize("name", RECIPES)
def test_settings_of_both_maps_can_be_changed(name):
    config = recipe(name)
    assert type(config) is RECIPES[name]
    changed = override(
        config, ["frame=dsine", "quantity=disparity", "depth_weight=2", "attention=separate"]
    )
    assert (changed.frame, changed.quantity, changed.depth_weight) == ("dsine", "disparity", 2.0)
    assert changed.attention == "separate"


@pytest.mark.parametrize(
    ("name", "setting", "said"),
    [
        ("nano-geometry", "noise=none", "its UNet must see"),
        ("nano-geometry", "prompt_tokens=77", "prompt_tokens 77 is of no effect"),
        ("nano-geometry", "image_encoder=eyes", "image_encoder eyes is of no effect"),
        ("nano-geometry", "unet=unet_v2", "unet unet_v2 is of no effect"),
        ("nano-geometry", "rank=4", "leave one of the two out"),
        ("nano-geometry", "depth_weight=0", "above 0"),
        ("nano-geometry", "normals_weight=NaN", "above 0"),
        ("nano-geometry", "class_rate=0", "above 0"),
        ("nano-geometry", "family=kl", "family kl is of no effect"),
        ("geowizard-e2e", "rank=4", "add --set class_rate=1"),
        ("geowizard-e2e", "attention=both", "choose one of"),
        ("geowizard", "noise=none", "noise none"),
        ("geowizard", "align_from=0.5", "its loss is on latents"),
        ("geowizard", "train_decoder=true", "its loss is on latents"),
        ("geowizard", "noise_strength=0.5", "noise_strength 0.5 is of no effect"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(name, setting, said):
    with pytest.raises(SettingError, match=said) as caught:
        override(recipe(name), [setting])
    assert "\n" not in str(caught.value)


def test_the_diffusion_run_is_both_kinds_of_config():
    config = recipe("geowizard")
    assert isinstance(config, GeometryConfig)
    assert isinstance(config, DiffusionConfig)
    assert config.how["family"] == "diffusion"
    assert (config.how["noise"], config.how["last"]) == ("gaussian", "previous")
    assert (config.depth_weight, config.normals_weight) == (0.5, 0.5)
    assert recipe("geowizard-e2e").how["noise"] == "zeros"


def test_adapters_learn_where_they_can():
    assert override(recipe("finetune-geometry"), ["rank=4"]).rank == 4
    assert override(recipe("geowizard-e2e"), ["rank=4", "class_rate=1"]).rank == 4


def test_other_recipes_do_not_know_its_settings():
    config: TrainConfig = recipe("nano-depth")
    with pytest.raises(SettingError, match="no setting 'class_rate'"):
        override(config, ["class_rate=10"])
