import pickle

import numpy as np
import pytest
import torch
from toy_benchmark import Toy

from monostep.errors import InputError
from monostep.evaluation.predictions.folder import PredictionFolder
from monostep.evaluation.stored import StoredPredictions


@pytest.fixture
def toy():
    return Toy(images=2)


def _folder(path, toy, task="depth", **declared):
    for index in range(toy.images):
        case = toy.load(index)
        values = 1 / case.depth_m if task == "depth" else case.normals.permute(1, 2, 0)
        np.save(path / f"{index:03d}.npy", values.numpy())
    folder = PredictionFolder(path, task=task, **declared)
    return StoredPredictions(name="theirs", folder=folder).on(toy)


def test_depth_comes_with_its_quantity(toy, tmp_path):
    stored = _folder(tmp_path, toy, quantity="disparity", invariance="affine")
    prediction = stored.read(toy.names[1], toy.size)
    assert prediction.quantity == "disparity"
    torch.testing.assert_close(prediction.values, 1 / toy.load(1).depth_m)
    assert (stored.task, stored.invariance) == ("depth", "affine")


def test_normals_come_in_opencvs_frame(toy, tmp_path):
    stored = _folder(tmp_path, toy, "normals", frame="opengl")
    signs = torch.tensor([1.0, -1.0, -1.0])[:, None, None]
    prediction = stored.read(toy.names[0], toy.size)
    torch.testing.assert_close(prediction.values, toy.load(0).normals * signs)
    assert stored.invariance is None


def test_a_missing_prediction_is_an_input_error(toy, tmp_path):
    stored = _folder(tmp_path, toy)
    (tmp_path / "001.npy").unlink()
    stored = StoredPredictions(name="theirs", folder=stored.folder).on(toy)
    with pytest.raises(InputError, match="001"):
        stored.read(toy.names[1], toy.size)


def test_it_says_what_was_declared_and_notices_changed_files(toy, tmp_path):
    stored = _folder(tmp_path, toy, quantity="disparity")
    about = stored.about()
    assert about["predictions"] == "theirs"
    assert about["settings"]["quantity"] == "disparity"
    before = stored.state()
    np.save(tmp_path / "001.npy", np.ones((3, 3), np.float32))
    assert stored.on(toy).state() != before


def test_it_can_go_to_another_process(toy, tmp_path):
    again = pickle.loads(pickle.dumps(_folder(tmp_path, toy)))
    assert again.read(toy.names[0], toy.size).values.shape == toy.size
