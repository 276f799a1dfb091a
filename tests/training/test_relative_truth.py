import pytest

from monostep.data.manifest import Declaration
from monostep.errors import SettingError
from monostep.recipes import recipe
from monostep.training.overriding import override
from monostep.training.relative_truth import check_learned, check_measured

AFFINE = Declaration(name="labels", unit="relative")
OTHERS = (
    Declaration(name="metres"),
    Declaration(name="codes", unit="mm"),
    Declaration(name="scale", unit="relative", quantity="disparity"),
)


def config(*settings, name="nano-depth"):
    return override(recipe(name), settings)


@pytest.mark.parametrize("unit", ["metre", "relative"])
def test_a_loss_with_a_unit_is_refused(unit):
    with pytest.raises(SettingError, match=f"labels.*no depth_unit {unit}; choose depth_unit im"):
        check_learned(config(f"depth_unit={unit}"), AFFINE)
    for other in OTHERS:
        check_learned(config(f"depth_unit={unit}"), other)


def test_a_loss_without_a_unit_takes_it():
    check_learned(config("depth_unit=image"), AFFINE)


@pytest.mark.parametrize("quantity", ["disparity", "sqrt_disparity", "log_depth"])
def test_no_other_quantity_can_be_made_of_it(quantity):
    with pytest.raises(SettingError, match=f"has no {quantity}; choose quantity depth"):
        check_learned(config("depth_unit=image", f"quantity={quantity}"), AFFINE)


def test_losses_on_latents_of_the_normalised_truth_take_it():
    check_learned(config("depth_unit=metre", name="latent-e2e"), AFFINE)
    with pytest.raises(SettingError, match="no disparity"):
        check_learned(config("quantity=disparity", name="latent-e2e"), AFFINE)


def test_a_network_for_both_maps_asks_for_the_same():
    with pytest.raises(SettingError, match="no depth_unit metre"):
        check_learned(config(name="geowizard-e2e"), AFFINE)
    check_learned(config(name="finetune-geometry"), AFFINE)
    check_learned(config(name="geowizard"), AFFINE)
    with pytest.raises(SettingError, match="AbsRel divides by depth"):
        check_measured(config(name="finetune-geometry"), AFFINE)


def test_absrel_is_not_measured_on_it():
    with pytest.raises(SettingError, match=r"labels: AbsRel divides by depth.*validation_data"):
        check_measured(config("depth_unit=image"), AFFINE)
    for other in OTHERS:
        check_measured(config("depth_unit=image"), other)


@pytest.mark.parametrize("name", ["nano-normals", "distil-decoder", "nano-autoencoder"])
def test_runs_of_other_tasks_do_not_mind(name):
    check_learned(config(name=name), AFFINE)
    check_measured(config(name=name), AFFINE)
