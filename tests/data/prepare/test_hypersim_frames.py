from pathlib import Path

import pytest
from official_trees import hypersim_splits

from monostep.data.prepare import hypersim_frames
from monostep.errors import InputError, SettingError

LISTS = Path(__file__).parents[4] / "shared" / "data" / "lists"
ROWS = [
    ("ai_002_001", "cam_00", 3, True, "test"),
    ("ai_001_001", "cam_01", 0, True, "train"),
    ("ai_001_001", "cam_00", 12, True, "train"),
    ("ai_001_001", "cam_00", 2, True, "train"),
    ("ai_001_001", "cam_00", 5, False, ""),
    ("ai_003_001", "cam_00", 0, True, "val"),
]


@pytest.fixture
def frames(tmp_path):
    hypersim_splits(tmp_path / "splits.csv", ROWS)
    return hypersim_frames.released(tmp_path / "splits.csv")


def test_public_frames_in_order_whatever_the_order_of_the_table(frames):
    assert [frame.name for frame in frames] == [
        "ai_001_001/cam_00/0002",
        "ai_001_001/cam_00/0012",
        "ai_001_001/cam_01/0000",
        "ai_002_001/cam_00/0003",
        "ai_003_001/cam_00/0000",
    ]


def test_splits_are_a_partition(frames):
    parts = [hypersim_frames.of_split(frames, split) for split in hypersim_frames.SPLITS]
    assert sorted(frame for part in parts for frame in part) == frames
    assert hypersim_frames.of_split(frames, None) == frames
    assert [len(part) for part in parts] == [3, 1, 1]
    with pytest.raises(SettingError, match="split 'dev': Hypersim has train, val, test"):
        hypersim_frames.of_split(frames, "dev")


def test_scenes_are_chosen_by_name(frames):
    assert len(hypersim_frames.of_scenes(frames, ["ai_001_001", "ai_003_001"])) == 4
    assert hypersim_frames.of_scenes(frames, []) == frames
    with pytest.raises(SettingError, match="'ai_009_001': no such scene"):
        hypersim_frames.of_scenes(frames, ["ai_009_001"])


def test_a_list_chooses_frames_and_a_frame_twice_is_one(frames, tmp_path):
    line = "ai_001_001/rgb_cam_00_fr0012.png ai_001_001/depth_plane_cam_00_fr0012.png"
    (tmp_path / "l.txt").write_text(f"{line}\n{line}\nai_002_001/rgb_cam_00_fr0003.png x")
    chosen = hypersim_frames.listed(frames, tmp_path / "l.txt")
    assert [frame.number for frame in chosen] == [12, 3]


def test_a_list_with_another_line_or_a_withheld_frame_is_refused_with_its_line(frames, tmp_path):
    good = "ai_001_001/rgb_cam_00_fr0012.png d.png"
    (tmp_path / "odd.txt").write_text(f"{good}\nrgb_0001.png\n")
    (tmp_path / "gone.txt").write_text(f"{good}\nai_001_001/rgb_cam_00_fr0005.png d.png\n")
    with pytest.raises(InputError, match=r"odd\.txt:2: expected SCENE/rgb"):
        hypersim_frames.listed(frames, tmp_path / "odd.txt")
    with pytest.raises(InputError, match=r"gone\.txt:2: .* not in the public release"):
        hypersim_frames.listed(frames, tmp_path / "gone.txt")


def test_scenes_that_are_not_there_are_counted(frames, tmp_path):
    (tmp_path / "ai_002_001" / "images").mkdir(parents=True)
    present, notes = hypersim_frames.present(frames, tmp_path)
    assert [frame.scene for frame in present] == ["ai_002_001"]
    assert notes == (f"2 of 3 scenes are not in {tmp_path}, first ai_001_001",)
    assert hypersim_frames.present(present, tmp_path) == (present, ())
    with pytest.raises(InputError, match=r"none of 3 scenes .* ai_001_001/images"):
        hypersim_frames.present(frames, tmp_path / "elsewhere")


def test_tables_that_are_none_are_refused(tmp_path):
    (tmp_path / "other.csv").write_text("scene,camera\n1,2\n")
    with pytest.raises(InputError, match=r"other\.csv: not Hypersim's table of splits"):
        hypersim_frames.released(tmp_path / "other.csv")
    with pytest.raises(InputError, match=r"absent\.csv: cannot be read.*--split-csv"):
        hypersim_frames.released(tmp_path / "absent.csv")


@pytest.mark.skipif(not LISTS.is_dir(), reason="real data not present")
@pytest.mark.slow
def test_official_table_and_filtered_lists_have_their_published_counts():
    frames = hypersim_frames.released(LISTS / "hypersim" / "metadata_images_split_scene_v1.csv")
    released = {"train": 59543, "val": 7386, "test": 7690}
    for split, count in released.items():
        assert len(hypersim_frames.of_split(frames, split)) == count
    chosen = hypersim_frames.listed(
        frames, LISTS / "e2e_ft" / "hypersim" / "filename_list_test_filtered.txt"
    )
    assert len(hypersim_frames.of_split(chosen, "test")) == len(chosen) == 7682


@pytest.mark.parametrize(
    ("scene", "camera"), [("../evil", "cam_00"), ("ai_001_001", "../../cam_00"), ("", "cam_00")]
)
def test_names_that_lead_elsewhere_are_refused(tmp_path, scene, camera):
    hypersim_splits(tmp_path / "splits.csv", [(scene, camera, 0, True, "train")])
    with pytest.raises(InputError, match=r"expected ai_NNN_NNN and cam_NN"):
        hypersim_frames.released(tmp_path / "splits.csv")
