import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from own_data import array, manifest, picture, plane, row
from PIL import Image

from monostep.data.manifest import Declaration, Row, read, write
from monostep.data.manifest_source import ManifestSource
from monostep.data.samples import KINDS
from monostep.errors import InputError

SIZE = (18, 24)
CAMERA = (20.0, 21.0, 13.0, 9.5)
MAPS = ("image", "depth_m", "normals", "valid", "sky", "intrinsics", "kind")


def rows(folder, count=3, size=SIZE, **others):
    generator = np.random.default_rng(0)
    return [
        row(folder, 2 + generator.random(size), size, name=f"{k}", intrinsics_px=CAMERA, **others)
        for k in range(count)
    ]


def equal(one, two):
    return all(torch.equal(getattr(one, name), getattr(two, name)) for name in MAPS)


def test_a_batch_is_its_images_in_order(tmp_path):
    source = ManifestSource(manifest(tmp_path, *rows(tmp_path)))
    batch = source.fetch([2, 0, 2], (6, 8))
    for place, index in enumerate([2, 0, 2]):
        alone = source.fetch([index], (6, 8))
        for name in MAPS:
            assert torch.equal(getattr(batch, name)[place], getattr(alone, name)[0])
    assert source.count == 3
    assert batch.confidence is None


def test_images_of_several_sizes_make_one_batch(tmp_path):
    small = row(tmp_path, plane((12, 16)), (12, 16), name="small")
    source = ManifestSource(manifest(tmp_path, rows(tmp_path)[0], small))
    batch = source.fetch([0, 1], (6, 8))
    assert batch.depth_m.shape == (2, 6, 8)
    assert torch.equal(batch.intrinsics[1], torch.eye(3))


def mirrored(folder, own):
    """The row with all its files mirrored."""
    folder.mkdir()
    Image.open(own.image).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "m.png")
    normals = np.load(own.normals)[:, ::-1] * [-1, 1, 1]
    fx, fy, cx, cy = own.intrinsics_px
    return Row(
        image=folder / "m.png",
        depth=array(folder / "m.depth.npy", np.load(own.depth)[:, ::-1]),
        normals=array(folder / "m.normals.npy", normals),
        intrinsics_px=(fx, fy, SIZE[1] - cx, cy),
    )


def test_mirrored_files_are_the_mirrored_batch(tmp_path):
    normals = np.random.default_rng(3).standard_normal((*SIZE, 3))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    (own,) = rows(tmp_path, 1, normals=array(tmp_path / "n.npy", normals))
    other = mirrored(tmp_path / "mirrored", own)
    source = ManifestSource(manifest(tmp_path, own, other))
    for size in (SIZE, (6, 8), (13, 16), (18, 32)):  # no width at which pixels lie between two
        straight, turned = source.fetch([0], size), source.fetch([1], size)
        flipped = straight.flip(torch.tensor([True]))
        for name in ("depth_m", "normals", "valid", "intrinsics"):
            torch.testing.assert_close(getattr(turned, name), getattr(flipped, name))
        torch.testing.assert_close(turned.image, flipped.image, rtol=0, atol=1e-6)


def test_splits_and_kinds(tmp_path):
    made = rows(tmp_path)
    made[0] = replace(made[0], split="val", kind="object")
    made[1] = replace(made[1], split="train", kind="outdoor")
    own = manifest(tmp_path, *made)
    assert ManifestSource(own).count == 3
    assert ManifestSource(own).fetch([0, 1, 2], (6, 8)).kind.tolist() == [2, 1, 0]
    train = ManifestSource(own, "train")
    assert (train.count, train.name(0)) == (1, "own/1.png")
    assert equal(train.fetch([0], SIZE), ManifestSource(own).fetch([1], SIZE))
    with pytest.raises(InputError, match=r"own\.jsonl: no rows of split 'test', only train, val"):
        ManifestSource(own, "test")
    assert KINDS[0] == "indoor"


def test_without_normals_all_else_is_the_same(tmp_path):
    own = manifest(tmp_path, *rows(tmp_path))
    whole = ManifestSource(own).fetch([0, 1], (6, 8))
    bare = ManifestSource(own, normals=False).fetch([0, 1], (6, 8))
    assert whole.normals.any()
    assert equal(bare, replace(whole, normals=torch.zeros_like(whole.normals)))


def test_names_are_relative_to_the_manifest(tmp_path):
    (tmp_path / "sets").mkdir()
    own = rows(tmp_path, 1)
    write(tmp_path / "sets" / "cafe.csv", Declaration(name="cafe"), own)
    assert ManifestSource(read(tmp_path / "sets" / "cafe.csv")).name(0) == "cafe/../0.png"


def test_what_the_rows_promise_needs_no_file(tmp_path):
    known = Row(image=tmp_path / "none.png", depth=tmp_path / "none.npy", intrinsics_px=CAMERA)
    bare = replace(known, intrinsics_px=None)
    normals = Row(image=known.image, depth=None, normals=known.depth)
    promises = {
        (True, True): (known,),
        (True, False): (known, bare),
        (False, True): (known, normals),
        (False, False): (bare, normals),
    }
    for (depth, directions), made in promises.items():
        source = ManifestSource(manifest(tmp_path, *made))
        assert (source.has_depth(), source.has_normals()) == (depth, directions)
    assert not ManifestSource(manifest(tmp_path, known, unit="relative")).has_normals()


def test_confidence_is_1_where_others_have_one(tmp_path):
    first, second = rows(tmp_path, 2)
    first = replace(first, confidence=array(tmp_path / "c.npy", np.full(SIZE, 0.25)))
    batch = ManifestSource(manifest(tmp_path, first, second)).fetch([0, 1], (6, 8))
    assert batch.confidence is not None
    assert batch.confidence.flatten(1).unique(dim=1).flatten().tolist() == [0.25, 1.0]


def test_the_kitti_crop_does_not_ask_for_a_size(tmp_path):
    own = row(tmp_path, plane((360, 1220)), (360, 1220))
    source = ManifestSource(manifest(tmp_path, own, fit="kitti-crop"))
    assert source.fetch([0], (6, 8)).depth_m.shape == (1, 352, 1216)


def test_workers_get_the_same(tmp_path):
    source = ManifestSource(manifest(tmp_path, *rows(tmp_path)))
    expected = source.fetch([0, 1, 2], (6, 8))
    assert equal(pickle.loads(pickle.dumps(source)).fetch([0, 1, 2], (6, 8)), expected)
    with ThreadPoolExecutor(4) as pool:
        for batch in pool.map(lambda _: source.fetch([0, 1, 2], (6, 8)), range(8)):
            assert equal(batch, expected)


def test_errors_name_the_row_and_the_file(tmp_path):
    good, _ = rows(tmp_path, 2)
    bad = Row(image=picture(tmp_path / "bad.png"), depth=tmp_path / "gone.npy", split="val")
    own = manifest(tmp_path, good, bad)
    message = r"own\.jsonl, row 2 \(own/bad\.png\): .*gone\.npy: no such file"
    with pytest.raises(InputError, match=message):
        ManifestSource(own).fetch([0, 1], (6, 8))
    with pytest.raises(InputError, match=message):
        ManifestSource(own, "val").fetch([0], (6, 8))


def test_relative_depth_lies_between_0_and_1_whatever_its_codes(tmp_path):
    codes = np.arange(48, dtype=np.float32).reshape(6, 8) * 5
    mask = np.full((6, 8), 255, np.uint8)
    mask[0, 0] = 0
    Image.fromarray(mask).save(tmp_path / "mask.png")
    one = row(tmp_path, depth=codes, mask=tmp_path / "mask.png")
    samples = ManifestSource(manifest(tmp_path, one, unit="relative")).fetch([0], (6, 8))
    expected = (codes - 5) / (codes.max() - 5)
    expected[0, 0] = 0
    np.testing.assert_allclose(samples.depth_m[0].numpy(), expected, atol=1e-6)
