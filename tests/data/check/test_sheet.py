import numpy as np
import planted_defects
import pytest
from PIL import Image

from monostep.data import manifest
from monostep.data.check import sheet
from monostep.data.check.survey import survey
from monostep.data.synthesize import synthesize


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "set"
    synthesize(folder, seed=1, indices=range(6), size=(48, 64))
    data = manifest.read(folder)
    planted_defects.cut_short(data.rows[3].image)
    planted_defects.change_depth(data.rows[4], lambda depth: depth[::2, ::2])
    data.rows[5].depth.unlink()
    return survey([data])


def _sheet(found, folder, **options):
    count = sheet.write(found, folder, **options)
    return count, np.asarray(Image.open(folder / sheet.NAME))


def _frames(pixels, count):
    height = sheet.CELL[1] + 16 + 6
    return [tuple(pixels[k * height, 0].tolist()) for k in range(count)]


def test_errors_come_first_in_red_then_warnings_in_orange_then_the_rest(found, tmp_path):
    count, pixels = _sheet(found, tmp_path, most=4)
    assert count == 4
    red, orange, grey = (208, 32, 32), (224, 144, 0), (190, 190, 190)
    assert _frames(pixels, 4) == [red, red, orange, grey]


def test_the_pictures_of_an_image_lie_side_by_side(found, tmp_path):
    _, pixels = _sheet(found, tmp_path, most=4)
    tile = pixels[3 * (sheet.CELL[1] + 22) :][3 + 16 :, 3:]
    image = np.asarray(Image.open(_last(found).row.image).convert("RGB"))
    height, width = image.shape[:2]
    top, left = (sheet.CELL[1] - height) // 2, (sheet.CELL[0] - width) // 2
    cells = [
        tile[top : top + height, left + k * sheet.CELL[0] :][:, :width].astype(int)
        for k in range(4)
    ]
    assert np.abs(cells[0] - image).max() <= 1
    valid = np.load(_last(found).row.depth) > 0
    assert np.array_equal(cells[3] == 255, np.repeat(valid[..., None], 3, axis=2))
    for cell in cells[1:3]:
        assert cell[valid].max(axis=1).min() > 0
        assert cell[~valid].sum() == 0


def _last(found):
    """The fourth on the sheet: the first image without a finding."""
    told = {image for finding in found.findings for image in finding.images}
    return next(each for each in found.entries if each.name not in told)


def test_an_image_without_its_depth_shows_what_it_is_of_and_a_broken_one_its_name(found, tmp_path):
    _, pixels = _sheet(found, tmp_path, most=2)
    broken, missing = (
        pixels[k * (sheet.CELL[1] + 22) :][3 + 16 : sheet.CELL[1] + 19, 3:-3] for k in range(2)
    )
    assert broken.max() == broken.min()
    assert missing[:, : sheet.CELL[0]].std() > 10
    assert missing[:, sheet.CELL[0] :].std() == 0


def test_many_images_lie_in_two_columns_up_to_a_limit(found, tmp_path):
    count, pixels = _sheet(found, tmp_path)
    assert count == 6
    assert pixels.shape[1] == 2 * (4 * sheet.CELL[0] + 6)
    assert pixels.shape[0] == 3 * (sheet.CELL[1] + 22)
