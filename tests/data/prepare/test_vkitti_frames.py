from pathlib import Path

import pytest

from monostep.data.prepare import vkitti_frames
from monostep.data.prepare.vkitti_frames import Frame
from monostep.errors import InputError, SettingError

LISTS = Path(__file__).parents[4] / "shared" / "data" / "lists" / "e2e_ft" / "vkitti"


def touch(root, *frames):
    for frame in frames:
        path = frame.path(root, "rgb", "jpg")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def frame(scene="Scene01", condition="fog", camera=0, number=0) -> Frame:
    return Frame(scene=scene, condition=condition, camera=camera, number=number)


def test_selections_have_their_published_sizes():
    def size(name, split):
        chosen = vkitti_frames.selection(name)
        scenes = [scene for scene in chosen.scenes if chosen.split(scene) == split]
        return sum(vkitti_frames.COUNTS[scene] for scene in scenes) * len(chosen.conditions) * 2

    assert (size("paper", "train"), size("paper", "val")) == (21260, 0)
    assert (size("marigold", "train"), size("marigold", "val")) == (20148, 5364)
    with pytest.raises(SettingError, match="'mine': choose paper or marigold"):
        vkitti_frames.selection("mine")


def test_frames_come_in_order_whatever_the_order_of_the_folders(tmp_path):
    some = [frame(number=n, camera=c) for c in (0, 1) for n in (10, 2, 0)]
    touch(tmp_path, *reversed(some), frame(condition="rain"))
    found = vkitti_frames.found(tmp_path, ["Scene01", "Scene01"], ["fog"])
    assert found == sorted(some)
    assert found[0].name == "Scene01/fog/Camera_0/00000"


def test_what_is_not_there_or_does_not_exist_is_named(tmp_path):
    touch(tmp_path, frame())
    with pytest.raises(InputError, match="Camera_1: no images"):
        vkitti_frames.found(tmp_path, ["Scene01"], ["fog"])
    with pytest.raises(SettingError, match="scene 'Scene03': Virtual KITTI 2 has Scene01, "):
        vkitti_frames.found(tmp_path, ["Scene03"], ["fog"])
    with pytest.raises(SettingError, match="condition 'snow'"):
        vkitti_frames.found(tmp_path, ["Scene01"], ["snow"])


@pytest.mark.parametrize("name", ["vkitti_2.0.3_rgb", "rgb", "."])
def test_folders_as_the_tars_unpack_or_renamed(tmp_path, name):
    touch(tmp_path / name, frame())
    assert vkitti_frames.folder(tmp_path, "rgb") == tmp_path / name
    with pytest.raises(InputError, match=r"nor in vkitti_2\.0\.3_depth or depth"):
        vkitti_frames.folder(tmp_path, "depth")


def test_missing_frames_of_a_series_are_counted():
    whole = [frame(scene="Scene02", number=n) for n in range(233)]
    assert vkitti_frames.shortfalls(whole) == ()
    few = [*whole[1:], frame(camera=1)]
    assert vkitti_frames.shortfalls(few) == (
        "Scene02/fog/Camera_0: 232 of 233 frames",
        "Scene01/fog/Camera_1: 1 of 447 frames",
    )


def test_a_line_that_names_no_frame_is_refused_with_its_number(tmp_path):
    good = "rgb/Scene02/clone/frames/rgb/Camera_0/rgb_00003.jpg depth/x.png"
    (tmp_path / "l.txt").write_text(f"{good}\n{good}\nScene02/clone/rgb_00003.jpg\n")
    with pytest.raises(InputError, match=r"l\.txt:3: expected SceneNN/CONDITION"):
        vkitti_frames.listed(tmp_path / "l.txt")
    (tmp_path / "l.txt").write_text(good.replace("clone", ".."))
    with pytest.raises(InputError, match=r"l\.txt:1: expected SceneNN/CONDITION"):
        vkitti_frames.listed(tmp_path / "l.txt")
    (tmp_path / "l.txt").write_text(f"{good}\n{good}")
    assert vkitti_frames.listed(tmp_path / "l.txt") == [
        frame(scene="Scene02", condition="clone", number=3)
    ]


@pytest.mark.skipif(not LISTS.is_dir(), reason="real data not present")
def test_marigolds_lists_are_its_selection():
    chosen = vkitti_frames.selection("marigold")
    for name, split, count in [("train", "train", 20148), ("val", "val", 5364)]:
        frames = vkitti_frames.listed(LISTS / f"vkitti_{name}.txt")
        assert len(frames) == count
        assert vkitti_frames.shortfalls(frames) == ()
        assert {chosen.split(each.scene) for each in frames} == {split}
        assert {each.condition for each in frames} == set(chosen.conditions)
