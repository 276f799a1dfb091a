import line_task
import numpy as np
import own_data
import pytest
import torch
from PIL import Image

from monostep.data import manifest
from monostep.data.manifest import Declaration
from monostep.errors import TrainingError
from monostep.recipes import recipe
from monostep.training import validation
from monostep.training.overriding import override
from monostep.training.world import World

ALONE = World(device=line_task.HERE)


def _config(*settings):
    small = ["phases=[[0,8,12,2]]", "precision=fp32", "validation_scenes=5"]
    return override(recipe("nano-depth"), [*small, *settings])


class Counting(line_task.LineTask):
    """Scores images by their brightness, and counts the batches."""

    batches = 0

    def score(self, samples):
        self.batches += 1
        return samples.image.mean(dim=(1, 2, 3))


def test_the_score_is_the_mean_over_images_whatever_the_batches():
    whole = validation.score(Counting(), _config("phases=[[0,8,12,5]]"), ALONE)
    parts = Counting()
    assert validation.score(parts, _config(), ALONE) == pytest.approx(whole, rel=1e-6)
    assert parts.batches == 3


@pytest.mark.slow
def test_processes_share_the_images_and_call_the_network_equally_often(monkeypatch):
    whole, totals, tasks = validation.score(Counting(), _config(), ALONE), [], []
    monkeypatch.setattr(World, "total", lambda _, *values: totals.append(values) or values)
    for rank in range(2):
        tasks.append(Counting())
        validation.score(tasks[-1], _config(), World(device=line_task.HERE, rank=rank, size=2))
    assert [task.batches for task in tasks] == [2, 2]
    assert [count for _, count in totals] == [3, 2]
    assert sum(total for total, _ in totals) / 5 == pytest.approx(whole, rel=1e-6)


def test_sources_of_different_sizes_are_measured_together(tmp_path):
    rows = [own_data.row(tmp_path, name=f"a{k}", split="val") for k in range(2)]
    manifest.write(tmp_path / "own.jsonl", Declaration(name="own"), rows)
    config = _config(f"validation_data={tmp_path / 'own.jsonl'},procedural", "validation_scenes=4")
    assert torch.isfinite(torch.tensor(validation.score(Counting(), config, ALONE)))


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


def test_images_without_truth_are_left_out_of_the_mean(tmp_path):
    blind = np.zeros((6, 8), np.float32)
    rows = [own_data.row(tmp_path, name="a", split="val")]
    rows.append(own_data.row(tmp_path, depth=blind, name="b", split="val"))
    scores = {}
    for count in (1, 2):
        path = tmp_path / f"{count}.jsonl"
        manifest.write(path, Declaration(name="own"), rows[:count])
        config = _config(f"validation_data={path}")
        scores[count] = validation.score(Counting(), config, ALONE)
    assert scores[1] == scores[2] > 0
    manifest.write(tmp_path / "blind.jsonl", Declaration(name="own"), rows[1:])
    with pytest.raises(TrainingError, match="no validation image has a valid pixel"):
        validation.score(Counting(), _config(f"validation_data={tmp_path / 'blind.jsonl'}"), ALONE)


def test_a_task_without_need_of_truth_is_scored_on_every_image(tmp_path):
    rows = [own_data.row(tmp_path, depth=np.zeros((6, 8), np.float32), split="val")]
    manifest.write(tmp_path / "blind.jsonl", Declaration(name="own"), rows)
    task = Counting()
    task.needs_truth = False
    config = _config(f"validation_data={tmp_path / 'blind.jsonl'}")
    assert validation.score(task, config, ALONE) > 0


def test_as_many_pictures_as_asked_for_are_drawn_from_small_batches(tmp_path):
    validation.draw(line_task.LineTask(), _config("pictures=5"), ALONE, tmp_path / "1.png")
    assert np.asarray(Image.open(tmp_path / "1.png")).shape[0] == 5 * 8
