import pytest

from monostep.evaluation.predictions.names import ENDINGS, Folders, namings


def _stems(image, task="depth"):
    return [stem for way in namings(image, task) for stem in way.stems]


def test_every_program_has_its_name_and_the_surest_is_first():
    assert _stems("sub/a_1.jpg") == [
        "a_1.jpg.depth",
        "a_1.depth",
        "pred_a_1",
        "pred_1",
        "a_1_pred",
        "a_1_depth",
        "a_1.jpg",
        "a_1",
        "sub_a_1.jpg",
        "sub__a_1.jpg",
        "sub_a_1",
        "sub__a_1",
    ]
    assert _stems("DSC_0219.JPG", "normals")[:2] == ["DSC_0219.JPG.normals", "DSC_0219.normals"]
    assert "DSC_0219_normals" in _stems("DSC_0219.JPG", "normals")


@pytest.mark.parametrize(
    ("image", "file"),
    [
        ("test/kitchen_0004/rgb_0001.png", "pred_0001"),  # NYUv2, as the evaluation names it
        ("drive/image_02/data/0000000069.png", "pred_0000000069"),
        ("scene0406_02/color/000300.jpg", "pred_000300"),
        ("a/frame_rgb.png", "frame_pred"),
        ("alley_1/frame_0001_img.png", "frame_0001_pred"),
    ],
)
def test_published_file_names_are_among_them(image, file):
    assert file in _stems(image)


def test_names_without_an_underscore_have_no_cut_form():
    assert _stems("000300.jpg").count("pred_000300") == 1
    assert "pred_" not in _stems("_.png")
    assert "pred_" not in _stems("rgb_.png")


def test_floats_are_tried_before_codes():
    assert ENDINGS[0] == ".npy"
    assert ENDINGS[-1] == ".png"
    assert len(set(ENDINGS)) == len(ENDINGS) == 6


def test_leading_folders_are_left_out_only_while_names_stay_apart():
    images = ["test/kitchen/rgb_1.png", "test/hall/rgb_1.png", "test/hall/rgb_2.png"]
    folders = Folders(images, None)
    assert list(folders.of(images[0])) == ["test/kitchen", "kitchen"]
    assert list(folders.of(images[2])) == ["test/hall", "hall", ""]


def test_the_benchmark_may_be_a_folder_of_its_own():
    assert list(Folders(["s/a.png"], "nyuv2").of("s/a.png")) == ["s", "nyuv2/s", "", "nyuv2"]


def test_an_unknown_image_keeps_its_whole_name_and_a_path_never_leads_out():
    assert list(Folders([], None).of("s/a.png")) == ["s"]
    assert list(Folders([], None).of("../../images/a.png")) == ["images"]
    assert list(Folders([], None).of("/data/a.png")) == ["data"]


def test_the_same_picture_in_two_formats_has_no_name_in_short():
    images = ["x/a.png", "y/a.jpg"]
    assert list(Folders(images, None).of("x/a.png")) == ["x"]


def test_ranks_of_images_can_be_compared():
    images = ("a.png", "a_1.png", "s/a.png", "s/a_rgb.png")
    assert len({len(namings(image, "depth")) for image in images}) == 1


def test_flat_names_hold_the_folders_and_lie_at_the_top():
    assert not any(way.stems for way in namings("../a.png", "depth") if way.flat)
    flat = [way.stems for way in namings("../s/t/a.png", "depth") if way.flat]
    assert flat == [("s_t_a.png", "s__t__a.png"), ("s_t_a", "s__t__a")]
    assert list(Folders([], "nyuv2").top()) == ["", "nyuv2"]
