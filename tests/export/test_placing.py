import pytest

from monostep.errors import OutputError
from monostep.export.placing import together


def _write(target, **contents):
    with together(target) as beside:
        for name, text in contents.items():
            beside.with_name(name).write_text(text)
        assert not any(target.parent.glob("model*"))


def test_all_files_come_to_their_place_and_nothing_else(tmp_path):
    target = tmp_path / "new" / "model"
    _write(target, model="graph", model_data="weights")
    assert sorted(path.name for path in target.parent.iterdir()) == ["model", "model_data"]
    assert target.read_text() == "graph"


def test_one_that_is_there_is_replaced(tmp_path):
    (tmp_path / "model").write_text("old")
    with together(tmp_path / "model") as beside:
        beside.write_text("new")
        assert (tmp_path / "model").read_text() == "old"
    assert (tmp_path / "model").read_text() == "new"


def test_the_target_comes_last(tmp_path, monkeypatch):
    from monostep.export import placing

    order, replacing = [], placing.replacing
    monkeypatch.setattr(
        placing, "replacing", lambda path: order.append(path.name) or replacing(path)
    )
    _write(tmp_path / "model", model="", a="", z="")
    assert order[-1] == "model"
    assert sorted(order) == ["a", "model", "z"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_failure_leaves_what_was_there(tmp_path, error):
    (tmp_path / "model").write_text("old")
    with pytest.raises(error), together(tmp_path / "model") as beside:
        beside.write_text("new")
        raise error
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (tmp_path / "model").read_text() == "old"


def test_a_folder_that_cannot_be_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"), together(tmp_path / "file" / "m"):
        pass
