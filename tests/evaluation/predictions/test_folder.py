import pickle

import numpy as np
import pytest
import torch
from PIL import Image

from monostep.errors import InputError, SettingError
from monostep.evaluation.predictions.folder import PredictionFolder
from monostep.geometry import frames
from monostep.geometry.depth import Depth
from monostep.geometry.normals import Normals

SIZE = (6, 8)
IMAGES = ["s/a.png", "s/b.png"]


@pytest.fixture
def maps():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, *SIZE, generator=generator)


@pytest.fixture
def vectors():
    """Unit normals in the OpenCV frame that face the camera."""
    values = torch.randn(3, *SIZE, generator=torch.Generator().manual_seed(1))
    values[2] = -values[2].abs() - 0.1
    return torch.nn.functional.normalize(values, dim=0)


def _save(folder, name, values):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, values.numpy())
    return path


@pytest.mark.parametrize("ending", ["npy", "npz", "exr", "tiff"])
def test_what_we_save_is_what_is_read(tmp_path, maps, ending):
    (tmp_path / "s").mkdir()
    for image, values in zip("ab", maps, strict=True):
        path = tmp_path / "s" / f"{image}.depth.{ending}"
        Depth(tensor=values, quantity="disparity", invariance="scale").save(path)
    folder = PredictionFolder(tmp_path, task="depth").among(IMAGES)
    assert torch.equal(folder.read("s/b.png", SIZE), maps[1])
    assert (folder.quantity, folder.invariance) == ("disparity", "scale")
    assert folder.about() == {
        "predictions": tmp_path.name,
        "quantity": "disparity",
        "invariance": "scale",
        "files": {f".{ending}": 2},
    }


@pytest.mark.parametrize("frame", list(frames.SIGNS))
@pytest.mark.parametrize("ending", ["npy", "npz"])
def test_normals_of_every_frame_come_in_opencv(tmp_path, vectors, frame, ending):
    Normals(tensor=vectors).to(frame).save(tmp_path / f"a.normals.{ending}")
    folder = PredictionFolder(tmp_path, task="normals").among(["a.jpg"])
    assert torch.equal(folder.read("a.jpg", SIZE), vectors)
    assert folder.about()["frame"] == frame
    assert folder.about()["value_range"] == "-1..1"


def test_another_programs_normals_need_their_frame(tmp_path, vectors):
    _save(tmp_path, "normal_npy/a_pred.npy", -vectors)
    with pytest.raises(SettingError, match=r"--frame .* identify-frame"):
        PredictionFolder(tmp_path, task="normals").among(["a.jpg"])
    with pytest.raises(SettingError, match="--frame"):
        PredictionFolder(tmp_path, task="normals").read("a.jpg", SIZE)
    folder = PredictionFolder(tmp_path, task="normals", frame="dsine")
    assert torch.equal(folder.among(["a.jpg"]).read("a.jpg", SIZE), vectors)
    assert torch.equal(folder.read("a.jpg", SIZE), vectors)


def test_normals_in_0_to_1_when_declared(tmp_path, vectors):
    _save(tmp_path, "normal/a.npy", (vectors + 1) / 2)
    folder = PredictionFolder(tmp_path, task="normals", frame="opencv", value_range="0..1")
    assert (folder.read("a.jpg", SIZE) - vectors).abs().max() < 1e-6
    with pytest.raises(InputError, match="--value-range"):
        PredictionFolder(tmp_path, task="normals", frame="opencv").read("a.jpg", SIZE)


def test_depth_is_depth_unless_somebody_says_otherwise(tmp_path, maps):
    _save(tmp_path, "s/pred_a.npy", maps[0])
    folder = PredictionFolder(tmp_path, task="depth")
    assert folder.among(IMAGES).quantity == "depth"
    assert folder.among(IMAGES).invariance is None
    declared = PredictionFolder(tmp_path, task="depth", quantity="disparity", invariance="affine")
    assert declared.among(IMAGES).quantity == "disparity"
    assert declared.among(IMAGES).invariance == "affine"


def test_contradictions_are_errors(tmp_path, maps):
    (tmp_path / "s").mkdir()
    Depth(tensor=maps[0], quantity="disparity").save(tmp_path / "s" / "a.depth.npz")
    Depth(tensor=maps[1], quantity="depth").save(tmp_path / "s" / "b.depth.npz")
    with pytest.raises(InputError, match="says quantity disparity, but log_depth is declared"):
        PredictionFolder(tmp_path, task="depth", quantity="log_depth").among(IMAGES)
    folder = PredictionFolder(tmp_path, task="depth").among(IMAGES)
    assert torch.equal(folder.read("s/a.png", SIZE), maps[0])
    with pytest.raises(InputError, match=r"b\.depth\.npz: the file says quantity depth"):
        folder.read("s/b.png", SIZE)


def test_missing_ones_are_named_and_all_missing_is_an_error(tmp_path, maps):
    _save(tmp_path, "s/a.npy", maps[0])
    folder = PredictionFolder(tmp_path, task="depth").among(IMAGES)
    assert list(folder.missing()) == ["s/b.png"]
    with pytest.raises(InputError, match=r"no prediction of s/b\.png"):
        folder.read("s/b.png", SIZE)
    with pytest.raises(InputError, match="none of the 2 images has one"):
        PredictionFolder(tmp_path, task="depth").among(["x/c.png", "x/d.png"])
    with pytest.raises(InputError, match="no such folder"):
        PredictionFolder(tmp_path / "nowhere", task="depth")


def test_short_names_count_only_among_all_images(tmp_path, maps):
    _save(tmp_path, "a.npy", maps[0])
    alone = PredictionFolder(tmp_path, task="depth")
    with pytest.raises(InputError, match="no prediction"):
        alone.find("s/a.png")
    assert alone.among(IMAGES).find("s/a.png") == tmp_path / "a.npy"
    with pytest.raises(InputError, match="no prediction"):
        alone.among(["s/a.png", "t/a.png"])
    _save(tmp_path, "nyuv2/s/b.npy", maps[1])
    assert alone.among(IMAGES, "nyuv2").find("s/b.png") == tmp_path / "nyuv2/s/b.npy"
    assert list(alone.among(IMAGES).missing()) == ["s/b.png"]


def test_no_normal_may_be_without_direction(tmp_path, vectors):
    vectors[:, 0, :3] = 0
    _save(tmp_path, "a.npy", vectors)
    folder = PredictionFolder(tmp_path, task="normals", frame="opencv")
    with pytest.raises(InputError, match=r"a\.npy: 3 of 48 normals have no direction"):
        folder.read("a.jpg", SIZE)


def test_codes_are_no_metres(tmp_path):
    codes = np.arange(48, dtype=np.uint16).reshape(SIZE)
    Image.fromarray(codes).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="have no unit"):
        PredictionFolder(tmp_path, task="depth", invariance="metric").read("a.jpg", SIZE)
    values = PredictionFolder(tmp_path, task="depth", invariance="affine").read("a.jpg", SIZE)
    assert (values.numpy() == codes).all()


@pytest.mark.parametrize(
    "declared",
    [
        {"task": "depth", "frame": "opencv"},
        {"task": "depth", "value_range": "0..1"},
        {"task": "normals", "quantity": "depth"},
        {"task": "normals", "value_range": "0..255"},
        {"task": "normals", "frame": "lub"},
    ],
)
def test_declarations_that_mean_nothing_are_refused(tmp_path, declared):
    with pytest.raises(SettingError):
        PredictionFolder(tmp_path, **declared)


def test_workers_get_it_whole_and_changes_are_noticed(tmp_path, maps):
    path = _save(tmp_path, "s/a.npy", maps[0])
    folder = PredictionFolder(tmp_path, task="depth").among(IMAGES)
    there = pickle.loads(pickle.dumps(folder))
    assert there.state() == folder.state()
    assert torch.equal(there.read("s/a.png", SIZE), maps[0])
    states = [folder.state()]
    np.save(path, maps[0].numpy().astype(np.float64))
    states.append(folder.state())
    _save(tmp_path, "s/b.npy", maps[1])
    assert folder.state() == states[-1]
    states.append(folder.among(IMAGES).state())
    assert len(set(states)) == 3


def test_the_state_has_room_for_links_that_lead_nowhere_and_files_that_vanish(tmp_path, maps):
    path = _save(tmp_path, "s/a.npy", maps[0])
    (tmp_path / "s/b.npy").symlink_to(tmp_path / "gone.npy")
    folder = PredictionFolder(tmp_path, task="depth").among(IMAGES)
    state = folder.state()
    assert list(folder.missing()) == ["s/b.png"]
    path.unlink()
    assert folder.state() != state
    with pytest.raises(InputError, match="no such file"):
        folder.read("s/a.png", SIZE)


@pytest.mark.parametrize("below", ["model", "protocol/model"])
def test_a_folder_whose_folders_hold_the_predictions_is_told_so(tmp_path, maps, below):
    _save(tmp_path, f"{below}/toy/s/a.npy", maps[0])
    _save(tmp_path, "else.npy", maps[0])
    folder = PredictionFolder(tmp_path, task="depth")
    with pytest.raises(InputError, match=r"none of the 2 images has one; .* has some") as caught:
        folder.among(IMAGES, "toy")
    named = str(caught.value).rpartition("; ")[2].partition(" has some")[0]
    assert PredictionFolder(tmp_path / named, task="depth").among(IMAGES, "toy").find(IMAGES[0])


def test_each_name_that_was_looked_for_is_said_once(tmp_path):
    folder = PredictionFolder(tmp_path, task="depth")
    with pytest.raises(InputError) as caught:
        folder.among(["000000"], "procedural")
    tried = str(caught.value).partition("looked for ")[2].partition(" in ")[0].split(", ")
    assert len(tried) == len(set(tried)) > 3
