import numpy as np
import pytest
import torch
from PIL import Image

from monostep.errors import InputError, SettingError
from monostep.training import photos
from monostep.training.photos import Photos


def _ramp(path, size=(40, 60)):
    rows = np.linspace(0, 255, size[0])[:, None]
    pixels = np.broadcast_to(rows[..., None], (*size, 3)).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def test_a_folder_is_searched_to_its_depths_for_images_alone(tmp_path):
    wanted = [_ramp(tmp_path / name) for name in ("a.png", "sub/deep/b.jpg")]
    (tmp_path / "notes.txt").write_text("no image")
    _ramp(tmp_path / ".hidden" / "c.png")
    assert sorted(photos.files(str(tmp_path))) == sorted(wanted)


def test_too_few_images_or_no_folder_is_one_line(tmp_path):
    _ramp(tmp_path / "a.png")
    with pytest.raises(SettingError, match=r"1 image\(s\) there; expected at least two"):
        photos.files(str(tmp_path))
    with pytest.raises(SettingError, match="no such folder"):
        photos.files(str(tmp_path / "nowhere"))


def test_a_crop_is_a_function_of_seed_and_index(tmp_path):
    paths = [_ramp(tmp_path / "a.png"), _ramp(tmp_path / "b.png")]
    source = Photos(paths=paths, seed=3)
    together = source.fetch([0, 1, 2], (12, 16)).image
    assert together.shape == (3, 3, 12, 16)
    for index in range(3):
        assert torch.equal(source.fetch([index], (12, 16)).image[0], together[index])
    assert not torch.equal(together[0], together[2])  # the same file, another crop
    other = Photos(paths=paths, seed=4).fetch([0], (12, 16)).image[0]
    assert not torch.equal(other, together[0])


def test_without_a_seed_the_crop_is_the_largest_in_the_centre(tmp_path):
    source = Photos(paths=[_ramp(tmp_path / "a.png", (41, 60))], seed=None)
    image = source.fetch([0], (8, 8)).image[0]
    column = image[0, :, 0]
    torch.testing.assert_close(column, 1 - column.flip(0), atol=0.01, rtol=0)
    assert column[0] < 0.08
    assert torch.equal(source.fetch([5], (8, 8)).image[0], image)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3)])
def test_any_photograph_gives_a_crop_of_the_size(tmp_path, size):
    source = Photos(paths=[_ramp(tmp_path / "a.png", size)], seed=0)
    image = source.fetch(range(4), (8, 12)).image
    assert image.shape == (4, 3, 8, 12)
    assert image.min() >= 0
    assert image.max() <= 1


def test_a_photograph_has_no_geometry(tmp_path):
    samples = Photos(paths=[_ramp(tmp_path / "a.png")], seed=0).fetch([0, 1], (8, 8))
    assert not samples.valid.any()
    assert not samples.sky.any()
    assert len(samples.flip(torch.tensor([True, False])).reduce(2)) == 2


def test_a_broken_photograph_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"a\.png"):
        Photos(paths=[tmp_path / "a.png"], seed=0).fetch([0], (8, 8))


def test_there_are_as_many_crops_as_asked_for_and_all_differ(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    photos = Photos(paths=[tmp_path / "a.png"], seed=1, crops=6)
    assert photos.count == 6
    crops = photos.fetch(range(6), (8, 8)).image
    assert len({crop.sum().item() for crop in crops}) == 6
    assert Photos(paths=[tmp_path / "a.png"], seed=1).count == 1
