import numpy as np
import pytest
import torch
from toy_benchmark import Oracle, Toy

from monostep.errors import InputError, OutputError
from monostep.evaluation import kept
from monostep.evaluation.kept import Kept
from monostep.evaluation.live import LiveModel
from monostep.evaluation.rules import Input
from monostep.geometry.depth import Depth


@pytest.fixture
def toy():
    return Toy(images=2)


def _live(toy, task="depth"):
    return LiveModel(Oracle(toy, task), Input(), {})


def test_maps_are_named_as_predict_names_them(toy, tmp_path):
    maps = Kept(toy, tmp_path, apart=False)
    assert not maps.is_complete(_live(toy))
    for name in toy.names:
        maps.by(_live(toy))(name, Depth(tensor=torch.rand(4, 5)))
    assert maps.is_complete(_live(toy))
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.npy")}
    assert files == {"toy/out/000.depth.npy", "toy/in/001.depth.npy"}
    assert np.load(tmp_path / "toy" / "out" / "000.depth.npy").shape == (4, 5)


def test_several_models_have_folders_of_their_own(toy, tmp_path):
    maps = Kept(toy, tmp_path, apart=True)
    maps.by(_live(toy))(toy.names[0], Depth(tensor=torch.rand(4, 5)))
    assert (tmp_path / "oracle-depth" / "toy" / "out" / "000.depth.npy").is_file()
    assert not maps.is_complete(_live(toy, "normals"))


def test_both_maps_of_a_joint_model_are_kept_or_those_that_are_judged(toy, tmp_path):
    model = Oracle(toy, "geometry")
    both = LiveModel(model, Input(), {}, batch_size=2)
    maps = Kept(toy, tmp_path, apart=False)
    results = both.predict([toy.load(0), toy.load(1)])
    one = LiveModel(model, Input(), {}, tasks=("normals",))
    for name, result in zip(toy.names, results, strict=True):
        maps.by(one)(name, result)
    assert maps.is_complete(one)
    assert not maps.is_complete(both)
    for name, result in zip(toy.names, results, strict=True):
        maps.by(both)(name, result)
    assert maps.is_complete(both)
    assert len(list(tmp_path.rglob("*.npy"))) == 4


def test_images_that_differ_in_their_ending_keep_it(tmp_path):
    class Clashing(Toy):
        names = ("a.jpg", "a.png")

    maps = Kept(Clashing(images=2), tmp_path, apart=False)
    for name in Clashing.names:
        maps.by(_live(Toy()))(name, Depth(tensor=torch.rand(4, 5)))
    assert {path.name for path in tmp_path.glob("toy/*.npy")} == {
        "a.jpg.depth.npy",
        "a.png.depth.npy",
    }


def test_names_above_the_root_stay_inside(tmp_path):
    class Above(Toy):
        names = ("../x/a.png",)

    inside = tmp_path / "inside"
    Kept(Above(images=1), inside, apart=False).by(_live(Toy()))(
        "../x/a.png", Depth(tensor=torch.rand(4, 5))
    )
    assert list(tmp_path.rglob("*.npy")) == [inside / "toy" / "x" / "a.depth.npy"]


def test_images_that_would_share_a_file_are_refused(tmp_path):
    class Twice(Toy):
        names = ("../x/a.png", "x/a.png")

    with pytest.raises(InputError, match=r"x/a\.png"):
        Kept(Twice(images=2), tmp_path, apart=False)


def test_a_folder_that_cannot_be_written_is_found_out_at_once(tmp_path):
    kept.check_folder(tmp_path / "new" / "maps")
    assert list((tmp_path / "new" / "maps").iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"save-predictions .*maps: cannot be written \(Not a"):
        kept.check_folder(tmp_path / "file" / "maps")


def test_without_a_folder_nothing_is_kept_and_nothing_is_missing(toy):
    maps = Kept(toy, None, apart=False)
    assert maps.by(_live(toy)) is None
    assert maps.is_complete(_live(toy))
