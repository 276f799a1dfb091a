import pytest

from monostep.data import manifest_csv
from monostep.errors import InputError, OutputError


def read(folder, text):
    path = folder / "own.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return manifest_csv.read(path)


def test_what_a_person_types(tmp_path):
    head, rows = read(
        tmp_path,
        "\ufeff# unit : mm\r\n#name: my: data\r\n\r\nimage, depth,fx,fy,cx,cy\r\n"
        'a.png, a b.png,500,501,320,240\r\n\r\n"b,c.png",d.png,,,,\r\n',
    )
    assert head.values == {"unit": "mm", "name": "my: data"}
    first, second = (row.values for row in rows)
    assert first == {
        "image": "a.png",
        "depth": "a b.png",
        "intrinsics_px": ["500", "501", "320", "240"],
    }
    assert second == {"image": "b,c.png", "depth": "d.png"}
    assert rows[1].where.endswith("own.csv, line 7")


def test_names_that_are_not_utf8_come_back(tmp_path):
    manifest_csv.write(tmp_path / "own.csv", {"name": "own"}, [{"image": "\udcff.png"}])
    assert manifest_csv.read(tmp_path / "own.csv")[1][0].values == {"image": "\udcff.png"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no header"),
        ("# unit: m\n", "no header"),
        ("# in metres\nimage\na\n", "line 1: expected '# key: value'"),
        ("# unit: m\n\n#unit: mm\nimage\na\n", "line 3: .* got unit a second time"),
        ("image,depth\na\n", "line 2: 1 cells under 2 columns"),
        ("image,depth\na,b,c\n", "line 2: 3 cells under 2 columns"),
        ("image,image\na,b\n", "line 1: a column is named twice"),
        ("image,fx,fy\na,1,2\n", "line 2: no cx, cy; a camera is fx, fy, cx, cy"),
        ('image\n"a\n', "line 2: unexpected end of data"),
    ],
)
def test_errors_have_the_line(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_what_a_table_cannot_hold_is_not_written(tmp_path):
    for name in (" a.png", "a\n.png", "a\r.png"):
        with pytest.raises(OutputError, match=r"use \.jsonl"):
            manifest_csv.write(tmp_path / "own.csv", {}, [{"image": name}])
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        manifest_csv.read(tmp_path / "none.csv")
