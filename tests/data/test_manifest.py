from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monostep.data.manifest import Declaration, Row, read, write
from monostep.errors import InputError, OutputError

WORDS = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters="/\\"), min_size=1, max_size=6
).filter(lambda word: word not in (".", ".."))
NUMBERS = st.floats(1e-3, 1e6)
FOLDER = Path("/nowhere/sets")
FILES = st.lists(WORDS, min_size=1, max_size=3).map(lambda parts: FOLDER.joinpath(*parts))
ROWS = st.builds(
    Row,
    image=FILES,
    depth=FILES,
    normals=st.none() | FILES,
    mask=st.none() | FILES,
    confidence=st.none() | FILES,
    intrinsics_px=st.none() | st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    split=st.sampled_from([None, "train", "validation", "val", "test"]),
    kind=st.sampled_from([None, "indoor", "outdoor", "object"]),
)
FRAMES = st.sampled_from(["opencv", "opengl", "directx", "dsine"])
# As arguments: what checks types in tests draws at random, which a strategy must not.
DECLARED = st.one_of(
    st.fixed_dictionaries(
        {"name": WORDS},
        optional={
            "unit": st.sampled_from(["m", "cm", "mm", "km"]),
            "quantity": st.sampled_from(["depth", "distance"]),
            "frame": FRAMES,
            "least_m": st.floats(0, 1e-3),
            "most_m": st.floats(1, 1e4),
            "sky": st.floats(allow_nan=False),
            "fit": st.sampled_from(["resize", "kitti-crop"]),
        },
    ),
    st.fixed_dictionaries(
        {"name": WORDS, "quantity": st.just("disparity"), "baseline_px": NUMBERS}
    ),
    st.fixed_dictionaries(
        {"name": WORDS, "unit": st.just("relative")},
        optional={"quantity": st.sampled_from(["depth", "disparity"])},
    ),
)


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
@given(declared=DECLARED, rows=st.lists(ROWS, min_size=1, max_size=4))
def test_write_and_read_are_inverse(ending, declared, rows, tmp_path_factory):
    declaration = Declaration(**declared)
    folder = (tmp_path_factory.getbasetemp() / "manifests" / ending).resolve()
    path = folder / f"own.{ending}"
    write(path, declaration, rows)
    manifest = read(path)
    assert manifest.declaration == declaration
    assert manifest.rows == tuple(rows)
    assert manifest.path == path


def test_a_whole_folder_can_be_moved(tmp_path):
    old, new = tmp_path.resolve() / "old", tmp_path.resolve() / "new"
    row = Row(image=old / "images" / "a.png", depth=old / "depth" / "a.npy")
    write(old / "own.csv", Declaration(name="own"), [row])
    assert str(tmp_path) not in (old / "own.csv").read_text()
    old.rename(new)
    assert read(new / "own.csv").rows[0].depth == new / "depth" / "a.npy"


def test_a_folder_with_a_manifest_in_it_is_that_manifest(tmp_path):
    row = Row(image=tmp_path / "a.png", depth=tmp_path / "a.npy")
    write(tmp_path / "manifest.jsonl", Declaration(name="own"), [row])
    assert read(tmp_path).path == tmp_path / "manifest.jsonl"


def test_the_name_is_the_files_unless_it_is_declared(tmp_path):
    (tmp_path / "cafe.csv").write_text("image,depth\na.png,a.npy\n")
    assert read(tmp_path / "cafe.csv").declaration == Declaration(name="cafe")
    (tmp_path / "manifest.csv").write_text("image,depth\na.png,a.npy\n")
    assert read(tmp_path).declaration == Declaration(name=tmp_path.resolve().name)
    assert read(tmp_path / "manifest.csv").declaration == read(tmp_path).declaration


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,depth\n", "no rows"),
        ("image\na.png\n", "line 2: neither depth nor normals"),
        ("depth\na.npy\n", "line 2: no image"),
        ("image,dept\na.png,a.npy\n", "line 2: unknown 'dept'; known: image, depth"),
        ("image,depth,kind\na,b,space\n", "line 2: kind 'space': expected one of indoor"),
        ("image,depth,fx,fy,cx,cy\na,b,1,x,2,3\n", "line 2: intrinsics_px .*expected a number"),
        (
            "# unit: inch\nimage,depth\na,b\n",
            "line 1: unit 'inch': expected one of m, cm, mm, km, rel",
        ),
        ("# units: mm\nimage,depth\na,b\n", "line 1: unknown 'units'; known: name, unit"),
        ("# most_m: far\nimage,depth\na,b\n", "line 1: most_m 'far': expected a number"),
        (
            "# monostep_manifest: 2\nimage,depth\na,b\n",
            "line 1: manifest version '2'; this reads 1",
        ),
        ("# quantity: disparity\nimage,depth\na,b\n", r"own\.csv: a disparity has no metres"),
    ],
)
def test_errors_of_a_file_are_one_line_with_the_place(tmp_path, text, message):
    path = tmp_path / "own.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        read(path)
    assert "\n" not in str(error.value)
    assert "own.csv" in str(error.value)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"name": ""}, "expected one line of text"),
        ({"name": "a\nb"}, "expected one line of text"),
        ({"quantity": "disparity"}, "declare baseline_px"),
        ({"quantity": "disparity", "baseline_px": 9.0, "unit": "mm"}, "leave the unit out"),
        ({"quantity": "disparity", "baseline_px": -9.0}, "expected a positive number"),
        ({"baseline_px": 9.0}, "belongs to a quantity disparity"),
        ({"quantity": "disparity", "unit": "relative", "baseline_px": 9.0}, "leave it out"),
        ({"quantity": "distance", "unit": "relative"}, "cannot become z-depth"),
        ({"unit": "relative", "most_m": 80.0}, "leave least_m and most_m out"),
        ({"least_m": 5.0, "most_m": 1.0}, "expected 0 <= least_m < most_m"),
    ],
)
def test_declarations_that_contradict_themselves(declared, message):
    with pytest.raises(InputError, match=message):
        Declaration(**{"name": "own", **declared})


def test_other_endings(tmp_path):
    with pytest.raises(InputError, match=r"expected a manifest in \.jsonl or \.csv, or a folder"):
        read(tmp_path / "own.json")
    with pytest.raises(OutputError, match=r"manifests end in \.jsonl or \.csv"):
        write(tmp_path / "own.json", Declaration(name="own"), [])


def test_a_split_that_nobody_asks_for_is_refused(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("image,depth,split\na.png,a.npy,vaildation\n")
    with pytest.raises(InputError, match=r"split 'vaildation': .* train, validation, val, test"):
        read(path)
