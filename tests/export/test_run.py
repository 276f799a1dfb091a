import dataclasses

import numpy as np
import pytest

from monostep import load
from monostep.errors import CheckpointError, SettingError
from monostep.export import formats, onnx_file, run
from monostep.export.formats import Format
from monostep.pictures import as_tensor


def test_what_is_asked_comes_before_the_card(micro):
    card = micro("depth").card
    assert run.settings(card).resolution == card.resolution
    assert run.settings(card, resolution=0).resolution == 0


@pytest.mark.parametrize(
    ("recommended", "asked"),
    [
        ({"steps": 4, "noise": "gaussian"}, {}),
        ({"steps": 4, "noise": "gaussian"}, {"steps": 1}),
        ({"steps": 4, "noise": "gaussian"}, {"noise": "zeros"}),
        ({}, {"steps": 2}),
    ],
)
def test_more_than_one_step_from_zeros_is_refused(micro, recommended, asked):
    card = dataclasses.replace(micro("depth").card, family="diffusion", **recommended)
    with pytest.raises(SettingError, match="exported graph takes 1 step from zeros"):
        run.settings(card, **asked)


def test_a_model_of_several_steps_can_be_asked_for_one(micro):
    card = dataclasses.replace(micro("depth").card, family="diffusion", steps=4, noise="gaussian")
    how = run.settings(card, steps=1, noise="zeros")
    assert (how.steps, how.noise, how.spacing) == (1, "zeros", "trailing")


@pytest.fixture
def stand_in(micro, monkeypatch):
    """A format whose runtime is the predictor, or nearly so."""

    def write(program, path, description):
        path.write_text(f"{program} {description.outputs[0]}")

    def make(shift):
        said = lambda image: micro("depth")(image).values + np.float32(shift)  # noqa: E731
        reader = lambda _: lambda images: (np.stack([said(image) for image in images]),)  # noqa: E731
        monkeypatch.setattr(run, "trace", lambda *_: "traced")
        monkeypatch.setitem(
            formats.FORMATS, ".fake", Format(write=write, reader=reader, packages={})
        )

    return make


def test_the_file_is_proved_then_left_at_its_place(micro, stand_in, tmp_path):
    predictor, path, said = micro("depth"), tmp_path / "sub" / "model.fake", []
    stand_in(1e-4)
    outcomes = run.export(predictor, path, run.settings(predictor.card), say=said.append)
    assert list(path.parent.iterdir()) == [path]
    assert path.read_text() == "traced depth"
    assert len(outcomes) == len({outcome.size for outcome in outcomes}) == 3
    assert all(outcome.difference == pytest.approx(1e-4, rel=0.1) for outcome in outcomes)
    assert all(outcome.spread > 0.02 for outcome in outcomes)
    assert said[-1] == "comparing"


def test_a_file_that_differs_is_not_written(micro, stand_in, tmp_path):
    predictor, path = micro("depth"), tmp_path / "model.fake"
    path.write_text("old")
    stand_in(0.01)
    with pytest.raises(CheckpointError, match=r"not written, as it differs.*1.0e-02"):
        run.export(predictor, path, run.settings(predictor.card))
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "old"


def test_an_ending_is_refused_before_any_work(micro, tmp_path):
    predictor = micro("depth")
    with pytest.raises(SettingError, match="no format"):
        run.export(predictor, tmp_path / "x" / "a.engine", run.settings(predictor.card))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.usefixtures("untyped")
@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("nano-normals", {}),
        ("e2e-depth", {"prompt_tokens": 77}),
        ("e2e-depth-4-channels", {}),
        ("marigold-normals-v0-1", {}),  # its last step returns the previous sample
    ],
)
def test_whole_models_through_onnxruntime(kind, asked, noise, assert_close, tmp_path):
    import marigold_folders  # diffusers takes seconds to import

    if kind in marigold_folders.INDEX:
        source = marigold_folders.write(tmp_path / "model", kind)
        task = "normals" if "normals" in kind else "depth"
    else:
        source, task = kind, None
    predictor = load(source, task=task, device="cpu", dtype="fp32", **asked)
    # 96: latents of 9 and 7 rows, the levels below have 2n - 1
    how = run.settings(predictor.card, resolution=96, steps=1, noise="zeros")
    path = tmp_path / "model.onnx"
    outcomes = run.export(predictor, path, how)
    assert all(outcome.spread > 0.05 for outcome in outcomes)
    reader = onnx_file.reader(path)
    for size in [(72, 96), (97, 61), (1, 1), (33, 200), (300, 400)]:
        image = noise(*size)
        (said,) = predictor.predict([as_tensor(image)], how)
        assert_close(reader(image[None])[0][0], said.values, size)


@pytest.mark.slow
@pytest.mark.usefixtures("untyped")
@pytest.mark.parametrize(
    ("ending", "words"), [(".onnx", False), (".pt2", False), (".xml", False), (".onnx", True)]
)
def test_joint_models_give_both_maps_in_every_format(
    micro_joint, noise, assert_close, tmp_path, ending, words
):
    if ending == ".xml":
        pytest.importorskip("openvino")
    predictor = micro_joint(words=words)
    how = run.settings(predictor.card, domain="outdoor")
    path = tmp_path / f"model{ending}"
    outcomes = run.export(predictor, path, how)
    assert [outcome.kind for outcome in outcomes] == ["depth", "normals"] * 3
    assert all(outcome.spread > 0.05 for outcome in outcomes)
    reader = formats.FORMATS[ending].reader(path)
    for size in [(31, 43), (1, 1), (90, 40), (5, 200)]:
        images = noise(2, *size)
        depths, normals = reader(images)
        for image, depth, direction in zip(images, depths, normals, strict=True):
            (said,) = predictor.predict([as_tensor(image)], how)
            assert_close(depth, said.depth.values, size)
            assert_close(direction, said.normals.values, size)


def test_a_domain_is_for_models_that_are_told_one(micro, micro_joint):
    assert run.settings(micro_joint().card).domain == "indoor"
    assert run.settings(micro_joint().card, domain="object").domain == "object"
    with pytest.raises(SettingError, match="leave domain out"):
        run.settings(micro("depth").card, domain="object")
