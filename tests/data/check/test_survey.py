"""Every kind of defect, planted in own data of procedural renders, and none in clean data."""

import dataclasses
from pathlib import Path

import numpy as np
import planted_defects as planted
import pytest

from monostep.data import manifest
from monostep.data.check import report
from monostep.data.check.survey import survey
from monostep.data.manifest import Declaration, Manifest, Row
from monostep.data.synthesize import synthesize
from monostep.errors import InputError

REAL = Path(__file__).parents[4] / "shared" / "data" / "rgbd"


@pytest.fixture
def data(clean, tmp_path):
    return planted.copy_of(clean, tmp_path / "set")


def _found(data, **options):
    """Kind and file names of every finding."""
    findings = survey([data], **options).findings
    return {(f.kind, image.split("/")[-1]) for f in findings for image in f.images}


@pytest.mark.slow
def test_a_clean_folder_raises_no_alarm_also_without_masks_normals_and_cameras(clean):
    whole = manifest.read(clean)
    assert survey([whole]).findings == ()
    assert survey([planted.depth_only(whole)]).findings == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "size"),
    [(1, (96, 128)), (2, (128, 96)), (3, (120, 120)), (4, (64, 200)), (8, (192, 256))],
)
def test_other_clean_folders_raise_no_alarm(tmp_path, seed, size):
    synthesize(tmp_path, seed=seed, indices=range(12), size=size)
    whole = manifest.read(tmp_path)
    assert survey([whole]).findings == ()
    assert survey([planted.depth_only(whole)]).findings == ()


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("unit", planted.in_millimetres),
        ("disparity", planted.inverted),
        ("disparity", planted.inverted_to_codes),
        ("invalid", planted.with_holes(65.535)),
        ("invalid", planted.with_holes(1e4)),
        ("invalid", planted.with_holes(1e-3)),
        ("sky", planted.with_sky(655.35)),
        ("sky", planted.with_sky(80.0)),
        ("registration", planted.moved(0, 8)),
        ("registration", lambda depth: depth[:, ::-1]),
        ("size", lambda depth: depth[::2]),
        ("size", lambda depth: depth[::2, ::2]),
        ("constant", planted.constant),
    ],
)
def test_two_spoiled_depth_maps_among_twelve_are_found_and_no_other(data, kind, change):
    spoiled = [row for row in data.rows if row.image.name in ("000003.png", "000004.png")]
    for row in spoiled:
        planted.change_depth(row, change)
    assert _found(data) == {(kind, row.image.name) for row in spoiled}


@pytest.mark.parametrize("signs", [[1, -1, -1], [1, 1, -1], [-1, -1, -1]])
def test_normals_in_another_frame_are_found(data, signs):
    planted.change_normals(data.rows[4], lambda normals: normals * signs)
    assert _found(data) == {("normals", "000004.png")}
    for row in data.rows[:4] + data.rows[5:]:
        planted.change_normals(row, lambda normals: normals * signs)
    (finding,) = survey([data]).findings
    assert len(finding.images) == 12


def test_missing_and_damaged_files_are_found_and_the_rest_is_still_looked_at(data):
    data.rows[2].depth.unlink()
    planted.cut_short(data.rows[5].image)
    planted.change_depth(data.rows[7], planted.constant)
    assert _found(data) == {
        ("unreadable", "000002.png"),
        ("unreadable", "000005.png"),
        ("constant", "000007.png"),
    }


def test_a_picture_stored_twice_is_found_in_a_split_across_splits_and_in_other_data(data):
    copy = dataclasses.replace(data.rows[3], image=planted.store_again(data.rows[3], "copy.jpg"))
    pair = {"000003.png", "copy.jpg"}
    rows = (*data.rows, copy)
    within = dataclasses.replace(data, rows=rows)
    assert {("duplicate", name) for name in pair} <= _found(within)
    apart = tuple(
        dataclasses.replace(row, split="test" if row is copy else "train") for row in rows
    )
    assert {("leakage", name) for name in pair} <= _found(dataclasses.replace(data, rows=apart))
    other = Manifest(path=data.path, declaration=Declaration(name="other"), rows=(copy,))
    assert _found(data, against=[other]) == {("leakage", name) for name in pair}


def test_all_ten_kinds_at_once(data):
    rows = list(data.rows)
    planted.change_depth(rows[0], planted.in_millimetres)
    planted.change_depth(rows[1], planted.inverted)
    planted.change_depth(rows[2], planted.with_holes(65.535))
    planted.change_depth(rows[3], planted.with_sky(655.35))
    planted.change_depth(rows[4], lambda depth: depth[:, ::-1])
    planted.change_depth(rows[5], lambda depth: depth[::2])
    rows.append(dataclasses.replace(rows[6], image=planted.store_again(rows[6], "copy.jpg")))
    planted.cut_short(rows[7].image)
    planted.change_depth(rows[8], planted.constant)
    planted.change_normals(rows[9], np.negative)
    found = _found(dataclasses.replace(data, rows=tuple(rows)))
    kinds = "unit disparity invalid sky registration size duplicate unreadable constant normals"
    assert {(kind, f"{k:06d}.png") for k, kind in enumerate(kinds.split())} <= found


def test_results_do_not_depend_on_threads_and_a_limit_looks_at_fewer(data, monkeypatch):
    planted.change_depth(data.rows[3], planted.constant)
    told = []
    whole = survey([data], progress=lambda done, total: told.append((done, total)))
    assert told == [(k, 12) for k in range(1, 13)]
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert survey([data]).findings == whole.findings
    fewer = survey([data], limit=3)
    assert (fewer.summaries[0].images, fewer.left_out) == (3, 9)
    assert "3 of 12 images looked at" in report.markdown(fewer)
    assert report.limits(whole) == []
    assert not whole.clean


def test_two_manifests_of_one_name_are_refused(data):
    with pytest.raises(InputError, match="both named"):
        survey([data], against=[dataclasses.replace(data, path=data.path / "other")])


def _real(*parts):
    path = REAL.joinpath(*parts)
    if not path.exists():
        pytest.skip("real data not present")
    return path


def test_real_sensor_data_raise_no_alarm_until_the_unit_is_wrong():
    folder = _real("hololens")
    rows = tuple(
        Row(image=path, depth=folder / "depth" / path.name, kind="indoor")
        for path in sorted((folder / "images").glob("*.png"))
    )
    declared = Declaration(name="hololens", unit="mm")
    assert survey([Manifest(path=folder, declaration=declared, rows=rows)]).findings == ()
    wrong = Declaration(name="hololens", unit="m")
    (finding,) = survey([Manifest(path=folder, declaration=wrong, rows=rows)]).findings
    assert finding.kind == "unit"
    assert "as mm it would be 2.56" in finding.message


def test_depth_of_a_phone_at_a_seventh_of_the_picture_raises_no_alarm():
    folder = _real("promptda_arkit")
    row = Row(image=folder / "image.jpg", depth=folder / "arkit_depth.png")
    declared = Declaration(name="phone", unit="mm")
    assert survey([Manifest(path=folder, declaration=declared, rows=(row,))]).findings == ()


def test_real_normals_are_in_the_frame_they_are_said_to_be_and_in_no_other():
    pytest.importorskip("OpenEXR")
    folder = _real("cleargrasp", "real-val", "d435")
    rows = tuple(
        Row(
            image=folder / f"{number}-opaque-rgb-img.jpg",
            depth=folder / f"{number}-opaque-depth-img.exr",
            normals=folder / f"{number}-normals.exr",
        )
        for number in ("000000123", "000000130")
    )
    right = Declaration(name="cleargrasp", frame="opengl")
    assert survey([Manifest(path=folder, declaration=right, rows=rows)]).findings == ()
    wrong = Declaration(name="cleargrasp", frame="opencv")
    (finding,) = survey([Manifest(path=folder, declaration=wrong, rows=rows)]).findings
    assert "as opengl: declare that frame" in finding.message
