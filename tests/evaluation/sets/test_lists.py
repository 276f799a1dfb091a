import random
from pathlib import Path

import pytest

from monostep.errors import InputError
from monostep.evaluation.sets import lists
from monostep.evaluation.sets.depth_layouts import LAYOUTS
from monostep.evaluation.sets.lists import Sample, SampleList, Templates

PUBLISHED = Path(__file__).parents[4] / "shared/data/lists/e2e_ft"
FILES = {
    "nyuv2": "nyu/labeled/filename_list_test.txt",
    "kitti": "kitti/eigen_test_files_with_gt.txt",
    "eth3d": "eth3d/eth3d_filename_list.txt",
    "scannet": "scannet/scannet_val_sampled_list_800_1.txt",
    "diode": "diode/diode_val_all_filename_list.txt",
    "diode-indoor": "diode/diode_val_indoor_filename_list.txt",
    "diode-outdoor": "diode/diode_val_outdoor_filename_list.txt",
}
PLAIN = Templates(image="{scene}/rgb_{frame}.png", depth="{scene}/depth_{frame}.png")
MASKED = Templates(image="{view}.png", depth="{view}_depth.npy", mask="{view}_mask.npy")


def files(samples):
    return [name for one in samples for name in (one.image, one.depth, one.mask) if name]


def written(tmp_path, text):
    (tmp_path / "list.txt").write_text(text)
    return tmp_path / "list.txt"


def test_a_list_by_rule_has_every_sample_in_any_order_of_files():
    samples = [PLAIN.fill({"scene": s, "frame": f}) for s in "ab" for f in ("1", "2")]
    names = [*files(samples), "a/filled_1.png", "notes.txt", "deeper/a/rgb_1.png"]
    random.Random(0).shuffle(names)
    found = lists.by_rule(names, PLAIN, by_depth=False)
    assert list(found.samples) == samples
    assert found.without_truth == 0


def test_a_field_is_the_same_wherever_it_is_repeated():
    twice = Templates(image="{day}/{day}_{drive}/{frame}.png", depth="{day}_{drive}/{frame}.png")
    names = ["d1/d1_7/0.png", "d1/d2_7/0.png"]
    assert files(lists.by_rule(names, twice, by_depth=False).samples) == [
        "d1/d1_7/0.png",
        "d1_7/0.png",
    ]


def test_half_a_sample_is_listed_unless_images_may_lack_truth():
    names = ["a/rgb_1.png", "a/rgb_2.png", "a/depth_2.png", "a/depth_3.png"]
    named = lists.by_rule(names, PLAIN, by_depth=False)
    assert [one.image for one in named.samples] == ["a/rgb_1.png", "a/rgb_2.png", "a/rgb_3.png"]
    counted = lists.by_rule(names, PLAIN, by_depth=True)
    assert [one.image for one in counted.samples] == ["a/rgb_2.png", "a/rgb_3.png"]
    assert counted.without_truth == 1


def test_the_hash_knows_pairs_and_nothing_else():
    one, two = Sample(image="a", depth="b"), Sample(image="c", depth="d", mask="e")
    digest = SampleList(samples=[one, two]).sha256
    assert digest == SampleList(samples=[two, one], without_truth=3).sha256
    assert digest != SampleList(samples=[one]).sha256
    assert digest != SampleList(samples=[Sample(image="a", depth="d"), two]).sha256
    # sha256 of "a b\nc d"
    assert digest == "f67d8cb354add992ca37b759720e320c22989b83d9dd26252ab1e17b302930fe"


def test_masks_have_a_hash_of_their_own():
    one, two = (Sample(image=name, depth="d", mask="m" + name) for name in "ab")
    swapped = [Sample(image=a.image, depth="d", mask=b.mask) for a, b in ((one, two), (two, one))]
    digest = SampleList(samples=[one, two]).masks_sha256
    assert digest == SampleList(samples=[two, one]).masks_sha256
    assert digest != SampleList(samples=swapped).masks_sha256
    assert SampleList(samples=[Sample(image="a", depth="d")]).masks_sha256 is None


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("a.png b.png\n", encoding="utf-8-sig")
    assert files(lists.from_file(path, PLAIN).samples) == ["a.png", "b.png"]


def test_a_file_keeps_its_order_and_counts_what_has_no_truth(tmp_path):
    path = written(
        tmp_path,
        "./b/rgb_2.png b/depth_2.png b/filled_2.png\n\na/rgb_1.png\tother.png 721.5377\n"
        "c/rgb_3.png None 721.5377\nd/rgb_4.png",
    )
    found = lists.from_file(path, PLAIN)
    assert list(found.samples) == [
        Sample(image="b/rgb_2.png", depth="b/depth_2.png"),
        Sample(image="a/rgb_1.png", depth="other.png"),
        Sample(image="d/rgb_4.png", depth="d/depth_4.png"),
    ]
    assert found.without_truth == 1


def test_masks_are_listed_or_follow_the_rule(tmp_path):
    path = written(tmp_path, "1.png a.npy b.npy\n2.png c.npy\n3.png\nother.jpg d.npy e.npy\n")
    assert files(lists.from_file(path, MASKED).samples) == [
        *("1.png", "a.npy", "b.npy"),
        *("2.png", "c.npy", "2_mask.npy"),
        *("3.png", "3_depth.npy", "3_mask.npy"),
        *("other.jpg", "d.npy", "e.npy"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lists no image with truth"),
        ("a.png None\n", "lists no image with truth"),
        ("a.png b\na.png c\n", r"lists a\.png 2 times"),
        ("ok.png b\n\nx.jpg\n", r"list\.txt:3: only 'x\.jpg'"),
    ],
)
def test_a_list_that_cannot_be_used_says_why(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as error:
        lists.from_file(written(tmp_path, text), PLAIN)
    assert "list.txt" in str(error.value)


def test_a_mask_that_nothing_names(tmp_path):
    with pytest.raises(InputError, match="image depth mask"):
        lists.from_file(written(tmp_path, "other.jpg d.npy\n"), MASKED)


def test_no_list_at_all(tmp_path):
    with pytest.raises(
        InputError, match=r"list\.txt: the list cannot be read \(No such file"
    ) as no:
        lists.from_file(tmp_path / "list.txt", PLAIN)
    assert "Errno" not in str(no.value)
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="text in UTF-8"):
        lists.from_file(tmp_path / "list.txt", PLAIN)


@pytest.mark.parametrize("name", FILES)
def test_the_published_lists_have_the_known_lengths_and_hashes(name):
    if not PUBLISHED.is_dir():
        pytest.skip("real data not present")
    layout = LAYOUTS[name.partition("-")[0]]
    official = layout.official[name]
    published = lists.from_file(PUBLISHED / FILES[name], layout.templates)
    assert len(published.samples) == official.images
    assert published.sha256 == official.list_sha256
    assert published.without_truth == (45 if name == "kitti" else 0)


@pytest.mark.parametrize("name", FILES)
def test_the_rule_finds_the_published_list_in_its_files(name):
    if not PUBLISHED.is_dir():
        pytest.skip("real data not present")
    layout = LAYOUTS[name.partition("-")[0]]
    published = lists.from_file(PUBLISHED / FILES[name], layout.templates)
    found = lists.by_rule(files(published.samples), layout.templates, by_depth=layout.unlabelled)
    assert found.sha256 == published.sha256
    assert set(found.samples) == set(published.samples)
