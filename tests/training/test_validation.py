import line_task
import numpy as np
import own_data
import pytest
import torch
from PIL import Image

from monostep.data import manifest
from monostep.data.manifest import Declaration
from monostep.errors import TrainingError
from monostep.geometry import decode
from monostep.recipes import recipe
from monostep.training import validation
from monostep.training.joint_task import JointTask
from monostep.training.overriding import override
from monostep.training.step import DepthTask, NormalsTask
from monostep.training.task import Measured
from monostep.training.world import World

ALONE = World(device=line_task.HERE)
SMALL = ("phases=[[0,8,12,2]]", "precision=fp32", "validation_scenes=5")


def _config(*settings):
    return override(recipe("nano-depth"), [*SMALL, *settings])


def _score(task, config, world):
    (score,) = validation.scores(task, config, world).values()
    return score


class Counting(line_task.LineTask):
    """Scores images by their brightness, and counts the batches."""

    batches = 0

    def score(self, samples):
        self.batches += 1
        return samples.image.mean(dim=(1, 2, 3))


def test_the_score_is_the_mean_over_images_whatever_the_batches():
    whole = _score(Counting(), _config("phases=[[0,8,12,5]]"), ALONE)
    parts = Counting()
    assert _score(parts, _config(), ALONE) == pytest.approx(whole, rel=1e-6)
    assert parts.batches == 3


@pytest.mark.slow
def test_processes_share_the_images_and_call_the_network_equally_often(monkeypatch):
    whole, totals, tasks = _score(Counting(), _config(), ALONE), [], []
    monkeypatch.setattr(World, "total", lambda _, *values: totals.append(values) or values)
    for rank in range(2):
        tasks.append(Counting())
        _score(tasks[-1], _config(), World(device=line_task.HERE, rank=rank, size=2))
    assert [task.batches for task in tasks] == [2, 2]
    assert [count for _, count in totals] == [3, 2]
    assert sum(total for total, _ in totals) / 5 == pytest.approx(whole, rel=1e-6)


def test_sources_of_different_sizes_are_measured_together(tmp_path):
    rows = [own_data.row(tmp_path, name=f"a{k}", split="val") for k in range(2)]
    manifest.write(tmp_path / "own.jsonl", Declaration(name="own"), rows)
    config = _config(f"validation_data={tmp_path / 'own.jsonl'},procedural", "validation_scenes=4")
    assert torch.isfinite(torch.tensor(_score(Counting(), config, ALONE)))


@pytest.mark.parametrize("normals", [False, True])
def test_pictures_show_image_prediction_and_truth(tmp_path, normals):
    task = line_task.LineTask()
    if normals:
        task.predict = lambda samples: samples.normals
    path = tmp_path / "pictures" / "1.png"
    validation.draw(task, _config("pictures=2"), ALONE, path)
    pixels = np.asarray(Image.open(path))
    assert pixels.shape == (2 * 8, 3 * 12 + 2 * 8, 3)
    if normals:
        predicted, truth = pixels[:, 20:32], pixels[:, 40:52]
        assert np.array_equal(predicted, truth)


def test_pictures_of_two_maps_show_both(tmp_path):
    task = line_task.LineTask()
    task.predict = lambda samples: (samples.depth_m, samples.normals)
    path = tmp_path / "1.png"
    validation.draw(task, _config("pictures=2"), ALONE, path)
    pixels = np.asarray(Image.open(path))
    assert pixels.shape == (2 * 8, 5 * 12 + 4 * 8, 3)
    for first in (20, 60):  # depth, then normals: each beside the same truth
        assert np.array_equal(pixels[:, first : first + 12], pixels[:, first + 20 : first + 32])


def test_the_parts_of_a_score_are_means_beside_it():
    task = Counting()
    every = torch.ones(2, dtype=torch.bool)
    task.parts = lambda samples: {
        "bright": Measured(error=task.score(samples), told=every[: len(samples)]),
        "far": Measured(error=samples.depth_m.mean(dim=(1, 2)), told=every[: len(samples)]),
    }
    task.whole = lambda means: means["bright"] + 2 * means["far"]
    found = validation.scores(task, _config(), ALONE)
    assert list(found) == ["error", "bright", "far"]
    assert found["bright"] == _score(Counting(), _config(), ALONE)
    assert found["error"] == found["bright"] + 2 * found["far"]


class Fixed:
    """In place of a network: depth is how red a pixel is, and normals are what it says."""

    frame, model, trained = "opencv", line_task.Net(), line_task.Net()
    loss = line_task.LineTask.loss

    def __init__(self, config):
        self.config = config

    def decoded_to_score(self, samples):
        return samples.image

    def maps_to_score(self, samples):
        return samples.image[:, 0], decode.normals(samples.image)


class FixedBoth(Fixed, JointTask):
    pass


class FixedDepth(Fixed, DepthTask):
    pass


class FixedNormals(Fixed, NormalsTask):
    pass


@pytest.fixture(scope="module")
def partly(tmp_path_factory):
    """Manifests of rows: whole, without normals, and with depths that are too far to judge."""
    place = tmp_path_factory.mktemp("partly")
    leaning = np.zeros((6, 8, 3), np.float32) + np.float32([0, 0.6, -0.8])
    row = {
        "whole": {"normals": own_data.array(place / "w.npy", leaning)},
        "bare": {
            "normals": own_data.array(place / "b.npy", 0 * leaning),
            "depth": own_data.plane(slope=0.5),
        },
        "far": {
            "normals": own_data.array(place / "f.npy", leaning[..., [1, 0, 2]]),
            "depth": own_data.plane(depth=90.0),
        },
    }
    rows = {
        name: own_data.row(place, name=name, split="val", **given) for name, given in row.items()
    }

    def write(*names):
        path = place / f"{'-'.join(names)}.jsonl"
        manifest.write(path, Declaration(name="own"), [rows[name] for name in names])
        return path

    return write


def _partly(task, recipe_name, path):
    config = override(recipe(recipe_name), [*SMALL, f"validation_data={path}"])
    return validation.scores(task(config), config, ALONE)


def test_each_part_is_a_mean_over_the_images_that_have_its_truth(partly):
    found = {
        names: _partly(FixedBoth, "nano-geometry", partly(*names))
        for names in (("whole",), ("whole", "bare"), ("whole", "far"), ("whole", "bare", "far"))
    }
    one, bare, far, every = found.values()
    assert bare["mean_angle_deg"] == one["mean_angle_deg"] != far["mean_angle_deg"]
    assert far["abs_rel"] == one["abs_rel"] != bare["abs_rel"]
    assert (every["abs_rel"], every["mean_angle_deg"]) == pytest.approx(
        (bare["abs_rel"], far["mean_angle_deg"]), rel=1e-6
    )
    for each in found.values():
        assert each["geometry_error"] == each["abs_rel"] + each["mean_angle_deg"] / 100


@pytest.mark.parametrize(
    ("task", "name", "lacking"),
    [(FixedDepth, "nano-depth", "far"), (FixedNormals, "nano-normals", "bare")],
)
def test_what_has_not_the_truth_of_the_one_map_is_left_out(partly, task, name, lacking):
    one, two = (_partly(task, name, partly(*rows)) for rows in (("whole",), ("whole", lacking)))
    assert one == two
    assert min(one.values()) > 0


@pytest.mark.parametrize(
    ("task", "name", "lacking", "said"),
    [
        (
            FixedBoth,
            "nano-geometry",
            "bare",
            "a true normal to measure mean_angle_deg on; .* normals",
        ),
        (FixedBoth, "nano-geometry", "far", "a valid pixel to measure abs_rel on"),
        (FixedNormals, "nano-normals", "bare", "a true normal to measure mean_angle_deg"),
    ],
)
def test_truth_that_no_image_has_is_named(partly, task, name, lacking, said):
    with pytest.raises(TrainingError, match=f"no validation image has {said}") as caught:
        _partly(task, name, partly(lacking))
    assert "\n" not in str(caught.value)


def test_images_without_truth_are_left_out_of_the_mean(tmp_path):
    blind = np.zeros((6, 8), np.float32)
    rows = [own_data.row(tmp_path, name="a", split="val")]
    rows.append(own_data.row(tmp_path, depth=blind, name="b", split="val"))
    scores = {}
    for count in (1, 2):
        path = tmp_path / f"{count}.jsonl"
        manifest.write(path, Declaration(name="own"), rows[:count])
        config = _config(f"validation_data={path}")
        scores[count] = _score(Counting(), config, ALONE)
    assert scores[1] == scores[2] > 0
    manifest.write(tmp_path / "blind.jsonl", Declaration(name="own"), rows[1:])
    with pytest.raises(TrainingError, match="no validation image has a valid pixel"):
        _score(Counting(), _config(f"validation_data={tmp_path / 'blind.jsonl'}"), ALONE)


def test_a_task_without_need_of_truth_is_scored_on_every_image(tmp_path):
    rows = [own_data.row(tmp_path, depth=np.zeros((6, 8), np.float32), split="val")]
    manifest.write(tmp_path / "blind.jsonl", Declaration(name="own"), rows)
    task = Counting()
    task.needs_truth = False
    config = _config(f"validation_data={tmp_path / 'blind.jsonl'}")
    assert _score(task, config, ALONE) > 0


def test_as_many_pictures_as_asked_for_are_drawn_from_small_batches(tmp_path):
    validation.draw(line_task.LineTask(), _config("pictures=5"), ALONE, tmp_path / "1.png")
    assert np.asarray(Image.open(tmp_path / "1.png")).shape[0] == 5 * 8
