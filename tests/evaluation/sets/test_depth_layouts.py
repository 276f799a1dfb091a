import pytest

from monostep.evaluation.sets.depth_layouts import CROP_SIZE, EIGEN, GARG, LAYOUTS


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        (EIGEN, (0.3324324, 0.91351351), (0.0359477, 0.96405229)),
        (GARG, (0.40810811, 0.99189189), (0.03594771, 0.96405229)),
    ],
)
def test_kittis_regions_are_the_published_shares_of_the_crop(box, rows, columns):
    height, width = CROP_SIZE
    assert box.of == (352, 1216)
    assert box.rows == tuple(int(share * height) for share in rows)
    assert box.columns == tuple(int(share * width) for share in columns)


def test_diodes_parts_are_the_whole():
    official = LAYOUTS["diode"].official
    parts = official["diode-indoor"].images, official["diode-outdoor"].images
    assert (*parts, sum(parts)) == (325, 446, official["diode"].images)


def test_every_list_has_its_own_hash():
    hashes = [one.list_sha256 for each in LAYOUTS.values() for one in each.official.values()]
    assert len({*hashes}) == len(hashes) == 7
    assert all(len(bytes.fromhex(one)) == 32 for one in hashes)


def test_truth_counts_by_range_or_by_mask():
    for layout in LAYOUTS.values():
        assert (layout.valid_m is None) == (layout.templates.mask is not None)
