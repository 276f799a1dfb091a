import micro_models
import pytest
import torch

from monostep.export.graph import ImageToMaps

SIZES = [(31, 43), (43, 31), (24, 24), (11, 17), (90, 40), (1, 1), (5, 200)]
SLOW = pytest.mark.slow
KINDS = [
    ("depth", {}),
    ("depth", {"kl": True}),
    ("depth", {"inputs": 4}),
    ("normals", {}),
    ("diffusion-normals", {"kl": True}),
]


def _graph(predictor, images, **asked):
    graph = ImageToMaps(predictor, predictor.inference(steps=1, noise="zeros", **asked))
    with torch.no_grad():
        said = graph(torch.from_numpy(images))
    return tuple(each.numpy() for each in said) if isinstance(said, tuple) else said.numpy()


@pytest.mark.parametrize(
    ("kind", "options", "resolution"),
    [
        pytest.param(
            *(kind, options, resolution),
            # by default all kinds at the card's resolution, and both tasks at every one
            marks=[pytest.mark.slow] if options and resolution is not None else [],
        )
        for kind, options in KINDS
        for resolution in (None, 0, 17)
    ],
)
def test_equal_to_the_predictor(micro, noise, assert_close, kind, options, resolution):
    predictor = micro(kind, **options)
    for size in SIZES:
        image = noise(*size)
        said = predictor(image, resolution=resolution).values
        assert_close(_graph(predictor, image[None], resolution=resolution)[0], said, size)


@pytest.mark.parametrize(
    ("words", "resolution"),
    [(False, None), (True, None), *(pytest.param(False, at, marks=SLOW) for at in (0, 17))],
)
def test_both_maps_of_a_joint_model_are_the_predictors(
    micro_joint, noise, assert_close, words, resolution
):
    predictor = micro_joint(words=words)
    asked = dict(resolution=resolution, domain="outdoor")
    for size in SIZES:
        image = noise(*size)
        said = predictor(image, **asked)
        depth, normals = _graph(predictor, image[None], **asked)
        assert_close(depth[0], said.depth.values, size)
        assert_close(normals[0], said.normals.values, size)
    elsewhere = predictor(image, **asked | {"domain": "indoor"})
    assert abs(elsewhere.depth.values - said.depth.values).max() > 0.01


def test_maps_vary_and_are_in_range(micro, noise):
    images = noise(2, 31, 43)
    depth = _graph(micro("depth"), images)
    assert 0 <= depth.min() < depth.max() <= 1
    assert depth.std() > 0.05
    normals = _graph(micro("normals"), images)
    assert abs((normals**2).sum(-1) - 1).max() < 1e-5
    assert normals.std(axis=(0, 1, 2)).min() > 0.05


@pytest.mark.parametrize("kind", ["depth", "normals"])
def test_an_images_map_does_not_depend_on_its_batch_mates(micro, noise, assert_close, kind):
    images = noise(3, 31, 43)
    together = _graph(micro(kind), images)
    for image, values in zip(images, together, strict=True):
        assert_close(_graph(micro(kind), image[None])[0], values)


def test_the_resolution_is_the_cards_unless_asked(micro, noise):
    images = noise(1, 60, 80)
    as_it_is, own = _graph(micro(), images), _graph(micro(), images, resolution=0)
    assert abs(as_it_is - own).max() > 0.01
    assert (as_it_is == _graph(micro(), images, resolution=micro_models.RESOLUTION)).all()
