import dataclasses

import pytest

from monostep.errors import SettingError
from monostep.recipes.marigold import latent_e2e, marigold_depth, marigold_lcm, marigold_normals
from monostep.training.overriding import override


@pytest.mark.parametrize("make", [latent_e2e, marigold_depth, marigold_lcm])
@pytest.mark.parametrize(
    "setting",
    [
        "train_encoder=true",
        "train_decoder=true",
        "depth_unit=image",
        "clip_target=true",
        "gradient_weight=0.5",
    ],
)
def test_settings_of_decoded_losses_are_refused_where_they_would_do_nothing(make, setting):
    with pytest.raises(SettingError, match=f"{setting.split('=')[0]}.*no effect.*latents"):
        override(make(), [setting])


@pytest.mark.parametrize(
    ("make", "setting", "reason"),
    [
        (marigold_depth, "noise=none", "must see the noisy latent"),
        (marigold_depth, "noise_strength=1.5", "in \\[0, 1\\]"),
        (marigold_depth, "validation_steps=0", "at least 1"),
        (marigold_depth, "jitter=2.0", "a share"),
        (marigold_normals, "holes=far", "normals face the camera"),
        (marigold_lcm, "noise=zeros", "run from gaussian"),
        (marigold_lcm, "skip=51", "1 <= skip <= coarse"),
        (marigold_lcm, "skip=0", "1 <= skip <= coarse"),
        (marigold_lcm, "follow=1.0", "in \\[0, 1\\)"),
        (marigold_lcm, "huber=0.0", "above 0"),
        (marigold_lcm, "validation_steps=51", "1 to 50"),
        (marigold_lcm, "start=nano-depth", "made from the teacher"),
        (marigold_lcm, "shard=true", "leave shard out"),
        (marigold_lcm, "rank=4", "leave rank out"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(make, setting, reason):
    with pytest.raises(SettingError, match=reason) as error:
        override(make(), [setting])
    assert "\n" not in str(error.value)


def test_images_that_vary_have_no_latents_to_keep():
    override(marigold_depth(), ["latents=somewhere"])
    with pytest.raises(SettingError, match="no latent to keep"):
        override(marigold_depth(), ["latents=somewhere", "jitter=0.3"])


def test_white_noise_has_no_strength():
    override(marigold_depth(), ["training_noise=white"])
    with pytest.raises(SettingError, match=r"noise_strength.*levels of white"):
        override(marigold_depth(), ["training_noise=white", "noise_strength=0.5"])


@pytest.mark.parametrize("noise", ["white", "original", "power-of-two", "pyramid-geowizard"])
def test_every_noise_can_be_set_by_name(noise):
    assert override(marigold_depth(), [f"training_noise={noise}"]).training_noise == noise
    with pytest.raises(SettingError, match="random-step"):
        override(marigold_depth(), ["training_noise=pink"])


def test_a_distillation_needs_a_teacher():
    assert marigold_lcm().teacher_name == "prs-eth/marigold-depth-v1-0"
    with pytest.raises(SettingError, match="set teacher=MODEL"):
        _ = override(marigold_lcm(), ["teacher=none"]).teacher_name


def test_the_card_says_how_the_result_is_run():
    assert latent_e2e().how["family"] == "end-to-end"
    assert latent_e2e().how["noise"] == "zeros"
    diffusion = dataclasses.replace(marigold_depth(), validation_steps=7).how
    assert (diffusion["family"], diffusion["steps"], diffusion["last"]) == (
        "diffusion",
        7,
        "previous",
    )
    consistency = dataclasses.replace(marigold_lcm(), validation_steps=2).how
    assert (consistency["spacing"], consistency["steps"]) == ("lcm", 2)
