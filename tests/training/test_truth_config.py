import pytest

from monostep.errors import SettingError
from monostep.recipes import recipe
from monostep.training.overriding import override


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("far_m=0", "far_m is 0.0: it must be above 0"),
        ("gradient_scales=0", "gradient_scales is 0: it must be above 0"),
        ("gradient_weight=-1", "gradient_weight is -1.0: it must be 0 or above"),
        ("sky_weight=-1", "sky_weight is -1.0: it must be 0 or above"),
        ("latent_weight=NaN", "latent_weight is nan: it must be 0 or above"),
        ("align_from=-0.5", "align_from is -0.5: it must be 0 or above"),
        ("jitter=2.0", r"jitter 2.0: a share must be in \[0, 1\]"),
        ("camera=-1", r"camera -1.0: a share must be in \[0, 1\]"),
        ("zoom=0.5", "zoom 0.5: a magnification must be at least 1"),
        ("steps=0", "steps is 0: it must be above 0"),
        ("prompt_tokens=3", "prompt tokens 3: choose 2 .* or 77"),
        ("quantity=log_depth", "depth_unit relative with quantity log_depth"),
        ("noise=white", "choose one of zeros, gaussian, pyramid, pyramid-geowizard, none"),
        ("pool=pixel", "choose one of image, batch"),
        ("frame=opengles", "choose one of start, opencv, opengl, directx, dsine"),
    ],
)
def test_what_cannot_be_run_is_refused(setting, message):
    with pytest.raises(SettingError, match=message) as error:
        override(recipe("nano-depth"), [setting])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("setting", "name", "value"),
    [
        ("noise=none", "noise", "none"),
        ("pool=batch", "pool", "batch"),
        ("autoencoder=none", "autoencoder", None),
        ("start=runs/a", "start", "runs/a"),
        ("prompt_tokens=77", "prompt_tokens", 77),
        ("halve_bias=true", "halve_bias", True),
        ("quantity=sqrt_disparity", "quantity", "sqrt_disparity"),
        ("gradient_weight=0.5", "gradient_weight", 0.5),
    ],
)
def test_every_choice_can_be_set(setting, name, value):
    assert getattr(override(recipe("nano-depth"), [setting]), name) == value


OF_DEPTH = [
    "quantity=disparity",
    "depth_unit=image",
    "clip_target=true",
    "align_from=0.1",
    "gradient_weight=0.5",
    "gradient_scales=2",
    "far_m=20",
    "sky_weight=0",
]
OF_MODELS = [
    "start=nano-depth",
    "autoencoder=nano-depth",
    "prompt_tokens=77",
    "halve_bias=true",
    "train_decoder=true",
    "noise=none",
    "pool=batch",
    "frame=dsine",
    "rank=4",
    "latents=folder",
    "frozen_precision=bf16",
    "recompute=unet",
    "compile=true",
]


@pytest.mark.parametrize(
    ("name", "settings", "reason"),
    [
        ("nano-autoencoder", [*OF_MODELS, *OF_DEPTH[:6]], "trains an autoencoder alone"),
        ("nano-normals", OF_DEPTH, "learns normals"),
        ("nano-normals", ["family=kl", "latent_weight=1"], "not trained from scratch"),
        ("nano-depth", ["family=kl", "latent_weight=1"], "not trained from scratch"),
        ("nano-depth", ["frame=dsine"], "learns depth"),
    ],
)
def test_settings_of_other_tasks_are_refused_where_they_would_do_nothing(name, settings, reason):
    for setting in settings:
        with pytest.raises(SettingError, match=f"^{setting.split('=')[0]} .*{reason}") as error:
            override(recipe(name), [setting])
        assert "\n" not in str(error.value)


def test_each_task_keeps_its_own_settings():
    override(recipe("nano-autoencoder"), ["family=kl", "latent_weight=1", "far_m=9", "average=0.9"])
    assert override(recipe("nano-normals"), ["frame=dsine"]).frame == "dsine"


def test_adapters_leave_no_decoder_to_train():
    for alone in ("rank=4", "train_decoder=true"):
        override(recipe("nano-depth"), [alone])
    with pytest.raises(SettingError, match=r"rank 4 with train_decoder.*leave one"):
        override(recipe("nano-depth"), ["rank=4", "train_decoder=true"])


@pytest.mark.parametrize(
    ("noise", "asked"),
    [("zeros", "zeros"), ("none", "zeros"), ("gaussian", "gaussian"), ("pyramid", "pyramid")],
)
def test_the_result_is_run_as_it_was_trained(noise, asked):
    how = override(recipe("nano-depth"), [f"noise={noise}"]).how
    assert how == {
        "family": "end-to-end",
        "steps": 1,
        "noise": asked,
        "spacing": "trailing",
        "last": "clean",
    }


def test_a_start_has_its_own_size():
    with pytest.raises(SettingError, match=r"size miniature is of no effect .* the start has its"):
        override(recipe("nano-depth"), ["start=runs/base", "size=miniature"])


@pytest.mark.parametrize("change", ["blur=0.5", "zoom=2"])
def test_latents_of_changed_images_are_not_kept(change):
    with pytest.raises(SettingError, match="latents kept: images that are changed at random"):
        override(recipe("nano-depth"), ["latents=kept", change])


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_adapters_and_a_codec_that_learns_exclude_each_other(part):
    with pytest.raises(SettingError, match=f"the {part} would not; leave one"):
        override(recipe("nano-depth"), ["rank=2", f"train_{part}=true"])
