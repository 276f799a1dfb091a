import numpy as np
import pytest

from monostep.checkpoints import opening
from monostep.errors import InputError, SettingError
from monostep.evaluation.enter import Declared
from monostep.evaluation.papers import entrants as paper_entrants
from monostep.evaluation.papers import published
from monostep.runner.models import Loading

TABLE_5, TABLE_3 = published.TABLES["5"].rows, published.TABLES["3"].rows


@pytest.mark.parametrize(
    ("number", "key", "words"),
    [
        ("5", "midas", "midas: its predictions are scored with --predictions midas=DIR"),
        ("3", "geowizard", "smoothed; published only"),
        ("4", "sd-e2e-gaussian", "noise=gaussian -o RUN makes one, and --weights DIR finds it as"),
    ],
)
def test_an_absent_row_says_how_to_get_numbers(number, key, words):
    line = paper_entrants.why_absent(key, published.TABLES[number].rows[key])
    assert words in line
    assert line.startswith(f"{key}: ")
    assert "\n" not in line


def test_a_checkpoint_runs_as_its_row_says():
    row = published.TABLES["1"].rows["marigold-50x10"]
    how = Loading(device="cpu", dtype="fp32")
    found = opening.find("nano-depth")
    entrants = paper_entrants.of_checkpoint(found, row, how, seed=7, batch_size=2)
    assert dict(entrants.asked) == {
        "steps": 50,
        "ensemble": 10,
        "noise": "gaussian",
        "spacing": "leading",
        "last": "clean",
        "seed": 7,
    }
    assert entrants.batch_size == 2
    assert [model.card.name for model in entrants.models] == ["nano-depth"]


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((4, 5), np.float32))
    return tmp_path


def test_predictions_are_of_the_rows_quantity(folder):
    disparity = paper_entrants.of_predictions("dpt", TABLE_5["dpt"], folder, Declared()).stored[0]
    assert (disparity.name, disparity.task) == ("dpt", "depth")
    assert disparity.folder.quantity == "disparity"
    depth = paper_entrants.of_predictions("leres", TABLE_5["leres"], folder, Declared()).stored[0]
    assert depth.folder.quantity == "depth"
    declared = Declared(quantity="log_depth")
    other = paper_entrants.of_predictions("dpt", TABLE_5["dpt"], folder, declared).stored[0]
    assert other.folder.quantity == "log_depth"


def test_predictions_of_normals_have_the_declared_frame(folder):
    declared = Declared(frame="dsine")
    row = TABLE_3["geowizard-e2e"]
    stored = paper_entrants.of_predictions("geowizard-e2e", row, folder, declared).stored[0]
    assert stored.task == "normals"
    assert stored.folder.meaning.frame == "dsine"


def test_a_wrong_folder_or_declaration_is_an_error(folder):
    with pytest.raises(InputError):
        paper_entrants.of_predictions("dpt", TABLE_5["dpt"], folder / "none", Declared())
    with pytest.raises(SettingError):
        paper_entrants.of_predictions("dpt", TABLE_5["dpt"], folder, Declared(frame="dsine"))
