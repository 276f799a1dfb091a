from dataclasses import replace
from pathlib import Path

import pytest
from labelled import go, statuses
from many_files import picture

from monostep.data import manifest
from monostep.data.manifest_source import ManifestSource
from monostep.data.synthesize import synthesize
from monostep.errors import InputError, OutputError, SettingError
from monostep.files import photo
from monostep.geometry import alignment, masked
from monostep.loading import load
from monostep.predictor import Predictor
from monostep.runner.labels import LabelSettings


@pytest.fixture
def photos(here):
    folder = here / "photos"
    return [picture(folder / "a.png", seed=1), picture(folder / "sub/b.jpg", (20, 30), seed=2)]


@pytest.mark.parametrize("task", ["depth", "normals"])
def test_photographs_become_data_to_learn_from(models, photos, task):
    outcomes, labelled = go(models[task])
    assert [outcome.status for outcome in outcomes] == ["written", "written"]
    assert [outcome.size for outcome in outcomes] == [(24, 16), (20, 30)]
    assert all(Path(each).is_file() for outcome in outcomes for each in outcome.outputs)
    read = manifest.read("labels.jsonl")
    assert [row.image.resolve() for row in read.rows] == [path.resolve() for path in photos]
    samples = ManifestSource(read).fetch([0, 1], (16, 24))
    assert samples.valid.all()
    assert samples.confidence is not None
    assert samples.confidence.min() > 0
    assert samples.confidence.max() < 1
    assert labelled.mean_confidence == pytest.approx(samples.confidence.mean().item(), abs=0.05)
    known = samples.depth_m if task == "depth" else samples.normals[:, 0]
    assert known.std() > 1e-3


def test_only_what_is_missing_or_made_in_another_way_is_done_again(models, photos):
    model = models["depth"]
    assert statuses(model) == ["written", "written"]
    first = Path("labels.jsonl").read_bytes()
    assert statuses(model) == ["skipped", "skipped"]
    assert Path("labels.jsonl").read_bytes() == first
    Path("labels/sub/b.depth.confidence.png").unlink()
    assert statuses(model) == ["skipped", "written"]
    assert Path("labels.jsonl").read_bytes() == first
    picture(photos[0], seed=9)
    assert statuses(model) == ["written", "skipped"]
    assert statuses(model, scale=0.6) == ["written", "written"]
    assert statuses(model, scale=0.6, overwrite=True) == ["written", "written"]


@pytest.mark.usefixtures("photos")
def test_a_run_that_was_interrupted_goes_on(models, monkeypatch):
    predict, calls = Predictor.predict, []

    def interrupted(*arguments, **options):
        calls.append(1)
        if len(calls) == 4:  # within the looks at the second photograph
            raise KeyboardInterrupt
        return predict(*arguments, **options)

    monkeypatch.setattr(Predictor, "predict", interrupted)
    with pytest.raises(KeyboardInterrupt):
        go(models["depth"])
    assert not Path("labels.jsonl").exists()
    assert statuses(models["depth"]) == ["skipped", "written"]
    assert len(manifest.read("labels.jsonl").rows) == 2


def test_a_broken_photograph_is_named_and_left_out(models, photos):
    photos[0].write_bytes(b"\xff\xd8 no photograph")
    outcomes, labelled = go(models["depth"])
    assert [outcome.status for outcome in outcomes] == ["failed", "written"]
    assert "photos/a.png" in outcomes[0].error
    assert (labelled.summary.written, labelled.summary.failed) == (1, 1)
    assert [row.image.name for row in manifest.read("labels.jsonl").rows] == ["b.jpg"]


@pytest.mark.usefixtures("photos")
def test_without_any_label_there_is_no_manifest(models, monkeypatch):
    def broken(*_):
        raise InputError("broken")

    monkeypatch.setattr(photo, "read", broken)
    _, labelled = go(models["depth"])
    assert labelled.mean_confidence is None
    assert labelled.summary.failed == 2
    assert not Path("labels.jsonl").exists()


@pytest.mark.usefixtures("photos")
def test_a_manifest_of_other_data_is_not_lost(models):
    kept = b'{"monostep_manifest": 1, "unit": "m"}\n{"image": "a.png", "depth": "a.npy"}\n'
    for content in (kept, b"notes\n"):
        Path("labels.jsonl").write_bytes(content)
        with pytest.raises(OutputError, match="no manifest of labels"):
            go(models["depth"])
        assert Path("labels.jsonl").read_bytes() == content
    assert statuses(models["depth"], overwrite=True) == ["written", "written"]


@pytest.mark.usefixtures("photos")
def test_affine_disparity_is_no_label(models):
    model = models["depth"]
    card = replace(model.card, quantity="disparity")
    other = Predictor(model.network, card, device=model.device, dtype=model.dtype)
    with pytest.raises(SettingError, match="predicts disparity up to scale and shift"):
        go(other)
    assert not Path("labels").exists()


@pytest.mark.parametrize("scale", [0, 1, 1.5, float("nan")])
def test_the_second_look_is_smaller(scale):
    with pytest.raises(SettingError, match="above 0 and below 1"):
        LabelSettings(manifest=Path("labels.jsonl"), scale=scale)


@pytest.mark.usefixtures("photos")
def test_manifests_end_in_jsonl_or_csv(models):
    with pytest.raises(SettingError, match=r"\.jsonl or \.csv"):
        LabelSettings(manifest=Path("labels"))
    assert statuses(models["depth"], manifest=Path("labels.csv")) == ["written", "written"]
    assert manifest.read("labels.csv").declaration.unit == "relative"


@pytest.mark.slow
def test_confident_pixels_are_nearer_to_the_truth(here):
    synthesize(here / "scenes", seed=7, indices=range(4), size=(96, 128))
    go(load("nano-depth", dtype="fp32"), "scenes/??????.png")
    truth = ManifestSource(manifest.read(here / "scenes"), normals=False).fetch(range(4), (96, 128))
    labels = ManifestSource(manifest.read("labels.jsonl")).fetch(range(4), (96, 128))
    valid = (truth.valid & (truth.depth_m < 80)).float()
    fitted = alignment.fit(labels.depth_m, truth.depth_m, valid).apply(labels.depth_m)
    error = (fitted - truth.depth_m).abs()
    trusted = (labels.confidence > labels.confidence.median()).float()
    near, far = masked.mean(error, valid * trusted), masked.mean(error, valid * (1 - trusted))
    assert (far / near).mean() > 1.3
