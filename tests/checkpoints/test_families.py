import dataclasses

import marigold_folders
import pytest

from monostep.checkpoints import dimensions, families, layout, registry
from monostep.errors import CheckpointError, SettingError

END_TO_END = ("end-to-end", 1, 1, "zeros", "trailing", "clean")
DIFFUSION = ("diffusion", 4, 1, "gaussian", "trailing", "previous")
DEPTH, NORMALS = ("depth", "depth", "affine", None), ("normals", None, None)


@pytest.fixture
def describe(published, geowizard):
    def description(kind, alias=None, **index):
        place = geowizard(kind) if kind.startswith("geowizard") else published(kind)
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
        ("e2e-depth", {"_class_name": "DepthNormalEstimationPipeline"}, {}, "no class embedding"),
        ("e2e-depth", {"_class_name": "MarigoldIntrinsicsPipeline"}, {}, "intrinsic"),
        ("e2e-depth", {"_class_name": "FluxPipeline"}, {}, "'FluxPipeline' is not supported"),
        ("e2e-depth", {"_class_name": None}, {}, "pipeline None is not supported"),
        ("e2e-depth", {"_class_name": ["A"]}, {}, r"pipeline \['A'\] is not supported"),
        ("geowizard-e2e", {"prediction_type": "disparity"}, {}, "prediction_type 'disparity', and"),
        ("geowizard-e2e", {"shift_invariant": False}, {}, "shift_invariant False, .* use the file"),
        ("geowizard-e2e", {"scale_invariant": False}, {}, "scale_invariant False, .* have True"),
        ("geowizard-e2e", {"use_full_z_range": False}, {}, "use_full_z_range False"),
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


GEOMETRY = ("geometry", "depth", "affine", "opencv")


@pytest.mark.parametrize("spacing", ["leading", "linspace", None])
def test_geowizards_layout_is_depth_and_normals(describe, spacing):
    for kind, settings in (
        ("geowizard", ("diffusion", 1, *DIFFUSION[2:])),
        ("geowizard-e2e", END_TO_END),
    ):
        said = describe(kind)
        said = dataclasses.replace(said, scheduler={**said.scheduler, "timestep_spacing": spacing})
        card = families.card(said)
        assert what(card) == GEOMETRY
        assert how(card) == settings
        assert (card.domain, card.attention, card.maps) == ("indoor", "joint", ("depth", "normals"))


def test_its_family_is_the_registrys_or_else_its_unets(describe):
    fine_tuned = ["geowizard.models.unet_2d_condition", "UNet2DConditionModel"]
    assert families.card(describe("geowizard", unet=fine_tuned)).family == "end-to-end"
    for unknown in (
        None,
        [],
        [None, None],
        ["diffusers", "UNet2DConditionModel"],
        5,
        "x",
        {"a": 1},
    ):
        assert families.card(describe("geowizard-e2e", unet=unknown)).family == "diffusion"
    card = families.card(describe("geowizard", "geowizard-e2e"))  # whatever the index says
    assert (card.family, card.name, card.grade) == ("end-to-end", "geowizard-e2e", "published")
    assert len(card.scores) == 2
    recommended = describe("geowizard", "geowizard", default_denoising_steps=10)
    assert families.card(recommended).steps == 10


def test_one_map_of_a_joint_model_may_be_asked_for_and_its_own_frame(describe):
    said = describe("geowizard-e2e")
    for asked in ("depth", "normals", "geometry", None):
        assert families.card(said, task=asked, frame="opencv").task == "geometry"
    for asked, message in (
        ({"frame": "dsine"}, "normals of .*geowizard-e2e are in opencv; leave frame out"),
        ({"task": "albedo"}, "predicts depth and normals; leave task out"),
    ):
        with pytest.raises(SettingError, match=message):
            families.card(said, **asked)
    with pytest.raises(SettingError, match="choose depth or normals"):
        families.card(describe("marigold-depth-v1-1"), task="geometry")


def test_a_class_embedding_outside_of_geowizard_is_refused(describe):
    said = describe("marigold-depth-v1-1")
    told = dataclasses.replace(said, unet=dataclasses.replace(said.unet, classes=4))
    with pytest.raises(CheckpointError, match=r"class embedding, as in Lotus, .*not supported"):
        families.card(told)


def test_every_kind_of_folder_is_tested_above():
    assert len(marigold_folders.INDEX) == 10
