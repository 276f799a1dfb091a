import dataclasses

import marigold_folders
import pytest

from monostep.checkpoints import dimensions, families, layout, registry
from monostep.errors import CheckpointError, SettingError

END_TO_END = ("end-to-end", 1, 1, "zeros", "trailing", "clean")
DIFFUSION = ("diffusion", 4, 1, "gaussian", "trailing", "previous")
DEPTH, NORMALS = ("depth", "depth", "affine", None), ("normals", None, None)


@pytest.fixture
def describe(published):
    def description(kind, alias=None, **index):
        place = published(kind)
        return families.Description(
            name=kind,
            index={**layout.read(place / layout.INDEX), **index},
            scheduler=layout.read(place / layout.SCHEDULER_CONFIG),
            unet=dimensions.unet_from_json(layout.read(place / layout.UNET_CONFIG)),
            autoencoder=dimensions.autoencoder_from_json(layout.read(place / layout.VAE_CONFIG)),
            published=registry.find(alias) if alias else None,
        )

    return description


def how(card):
    return (card.family, card.steps, card.ensemble, card.noise, card.spacing, card.last)


def what(card):
    return (card.task, card.quantity, card.invariance, card.frame)


@pytest.mark.parametrize(
    ("kind", "asked", "prediction", "settings"),
    [
        ("marigold-depth-v1-0", {}, DEPTH, (*DIFFUSION[:1], 1, *DIFFUSION[2:])),
        ("marigold-depth-v1-1", {}, DEPTH, DIFFUSION),
        ("marigold-normals-v0-1", {}, (*NORMALS, "opengl"), ("diffusion", 10, *DIFFUSION[2:])),
        ("marigold-normals-v1-1", {}, (*NORMALS, "opengl"), DIFFUSION),
        ("marigold-lcm", {}, DEPTH, ("consistency", 1, 1, "gaussian", "lcm", "clean")),
        ("e2e-depth", {"task": "depth"}, DEPTH, END_TO_END),
        ("sd-e2e-depth", {"task": "depth"}, DEPTH, END_TO_END),
        ("e2e-normals", {"task": "normals", "frame": "dsine"}, (*NORMALS, "dsine"), END_TO_END),
        ("e2e-depth-4-channels", {"task": "depth"}, DEPTH, END_TO_END),
        ("stable-diffusion-2", {"task": "depth"}, DEPTH, END_TO_END),
    ],
)
def test_each_published_layout_is_recognised(describe, kind, asked, prediction, settings):
    card = families.card(describe(kind), **asked)
    assert what(card) == prediction
    assert how(card) == settings
    assert (card.name, card.grade, card.licence) == (kind, "user", "unknown")
    assert card.resolution == 768
    assert card.tensor_hash is None


@pytest.mark.parametrize(
    ("kind", "alias", "prediction"),
    [
        ("e2e-depth", "e2e-depth", DEPTH),
        ("e2e-normals", "e2e-normals", (*NORMALS, "dsine")),
        ("marigold-depth-v1-0", "prs-eth/marigold-v1-0", DEPTH),
        ("marigold-lcm", "marigold-lcm", DEPTH),
    ],
)
def test_what_is_registered_need_not_be_asked(describe, kind, alias, prediction):
    entry = registry.find(alias)
    card = families.card(describe(kind, alias))
    assert what(card) == prediction
    assert (card.name, card.grade, card.family) == (entry.alias, "published", entry.family)
    assert (card.licence, card.scores) == (entry.licence, entry.scores)


def test_a_spacing_in_the_scheduler_file_decides_nothing(describe):
    for spacing in ("leading", "linspace", None):
        for kind in ("e2e-depth", "marigold-depth-v1-1"):
            said = describe(kind)
            said = dataclasses.replace(
                said, scheduler={**said.scheduler, "timestep_spacing": spacing}
            )
            assert families.card(said, task="depth").spacing == "trailing"


def test_what_the_index_says_of_how_to_run_counts_for_marigold_alone(describe):
    index = {"default_denoising_steps": 7, "default_processing_resolution": 512}
    card = families.card(describe("marigold-depth-v1-1", **index))
    assert (card.steps, card.resolution) == (7, 512)
    assert families.card(describe("e2e-depth", **index), task="depth").steps == 1
    native = families.card(describe("marigold-depth-v1-1", default_processing_resolution=0))
    assert native.resolution == 0
    nothing = dict.fromkeys(index)
    card = families.card(describe("marigold-depth-v1-1", **nothing))
    assert (card.steps, card.resolution) == (1, 768)


def test_a_unet_that_sees_the_picture_alone_has_no_noise_to_vary(describe):
    said = describe("marigold-depth-v1-1")
    alone = dataclasses.replace(said, unet=dataclasses.replace(said.unet, in_channels=4))
    card = families.card(alone)
    assert (card.noise, card.steps, card.ensemble) == ("zeros", 1, 1)


@pytest.mark.parametrize(
    ("index", "quantity", "invariance"),
    [
        ({"prediction_type": "disparity"}, "disparity", "affine"),
        ({"shift_invariant": False}, "depth", "scale"),
        ({"scale_invariant": None, "shift_invariant": None}, "depth", "affine"),
    ],
)
def test_depth_is_what_the_index_says(describe, index, quantity, invariance):
    card = families.card(describe("marigold-depth-v1-1", **index))
    assert (card.quantity, card.invariance) == (quantity, invariance)


def test_the_old_class_is_normals_if_anything_says_so(describe):
    said = describe("marigold-depth-v1-0", prediction_type="normals")
    assert what(families.card(said)) == (*NORMALS, "opengl")
    mute = describe("marigold-depth-v1-0")  # says nothing: the user's word counts
    assert what(families.card(mute, task="normals")) == (*NORMALS, "opengl")
    assert what(families.card(mute)) == DEPTH


@pytest.mark.parametrize(
    ("kind", "index", "asked", "message"),
    [
        ("e2e-depth", {}, {}, r"does not say what it predicts; .*dsine for E2E-FT.*opengl"),
        (
            "e2e-normals",
            {},
            {"task": "normals"},
            r"frame of its normals; give it \(--network-frame: dsine for",
        ),
        ("marigold-depth-v1-1", {"scale_invariant": False}, {}, "scale_invariant is False"),
        ("marigold-normals-v1-1", {"use_full_z_range": False}, {}, "use_full_z_range is false"),
        ("e2e-depth", {"_class_name": "DepthNormalEstimationPipeline"}, {}, "GeoWizard .*not supp"),
        ("e2e-depth", {"_class_name": "MarigoldIntrinsicsPipeline"}, {}, "intrinsic"),
        ("e2e-depth", {"_class_name": "FluxPipeline"}, {}, "'FluxPipeline' is not supported"),
        ("e2e-depth", {"_class_name": None}, {}, "pipeline None is not supported"),
        ("marigold-depth-v1-1", {"default_denoising_steps": -1}, {}, "steps -1"),
        ("marigold-depth-v1-1", {"default_denoising_steps": "4"}, {}, "steps '4'"),
    ],
)
def test_what_cannot_be_served_is_an_error_that_says_what_to_do(
    describe, kind, index, asked, message
):
    with pytest.raises(CheckpointError, match=message):
        families.card(describe(kind, **index), **asked)


@pytest.mark.parametrize("inputs", [3, 5, 12])
def test_a_unet_of_another_number_of_channels_is_refused(describe, inputs):
    said = describe("marigold-depth-v1-1")
    odd = dataclasses.replace(said, unet=dataclasses.replace(said.unet, in_channels=inputs))
    with pytest.raises(CheckpointError, match=f"takes {inputs} channels .* it must take 4 .* or 8"):
        families.card(odd)


@pytest.mark.parametrize(
    ("kind", "alias", "asked", "message"),
    [
        ("marigold-depth-v1-1", None, {"task": "normals"}, "predicts depth; leave task out"),
        ("marigold-normals-v1-1", None, {"task": "depth"}, "predicts normals"),
        ("marigold-normals-v1-1", None, {"frame": "dsine"}, "are in opengl"),
        ("marigold-depth-v1-1", None, {"frame": "opengl"}, "predicts depth; leave frame out"),
        ("e2e-depth", "e2e-depth", {"task": "normals", "frame": "dsine"}, "predicts depth"),
        ("e2e-normals", "e2e-normals", {"frame": "opengl"}, "are in dsine"),
        ("e2e-depth", None, {"task": "albedo"}, "choose depth or normals"),
        ("e2e-depth", None, {"task": "normals", "frame": "blender"}, "unknown normals frame"),
    ],
)
def test_a_wish_that_contradicts_the_checkpoint_is_refused(describe, kind, alias, asked, message):
    with pytest.raises(SettingError, match=message):
        families.card(describe(kind, alias), **asked)


def test_the_same_wishes_are_checked_against_a_card(describe):
    depth = families.card(describe("marigold-depth-v1-1"))
    normals = families.card(describe("marigold-normals-v1-1"))
    families.check_asked(depth, task=None, frame=None)
    families.check_asked(depth, task="depth", frame=None)
    families.check_asked(normals, task="normals", frame="opengl")
    for card, asked in (
        (depth, {"task": "normals", "frame": None}),
        (depth, {"task": None, "frame": "opengl"}),
        (normals, {"task": None, "frame": "dsine"}),
    ):
        with pytest.raises(SettingError, match="leave"):
            families.check_asked(card, **asked)


def test_every_kind_of_folder_is_tested_above():
    assert len(marigold_folders.INDEX) == 10
