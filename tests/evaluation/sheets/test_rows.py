import numpy as np
import pytest
from PIL import Image
from toy_benchmark import Oracle, Toy

from monostep.evaluation import run
from monostep.evaluation.entrants import Entrants
from monostep.evaluation.run import How
from monostep.evaluation.sheets import rows as sheet_rows


@pytest.mark.parametrize("task", ["depth", "normals"])
def test_a_sheet_shows_the_worst_the_median_and_the_best(tmp_path, task):
    toy = Toy(images=7, size=(48, 64), broken=(2,))
    models = [
        Oracle(toy, task, name="good", noise=0.01, fails=(1,)),
        Oracle(toy, task, name="poor", noise=0.3),
    ]
    run.run(toy, Entrants(models=models[:1]), How(output=tmp_path / "one", sheets=1))
    run.run(toy, Entrants(models=models), How(output=tmp_path / "two", sheets=2))
    sizes = {}
    for folder in ("one", "two"):
        (sheet,) = (tmp_path / folder).glob("*.jpg")
        assert sheet.name == f"toy.{task}.sheet.jpg"
        with Image.open(sheet) as picture:
            sizes[folder] = picture.size
            assert np.asarray(picture).std() > 10
    assert sizes["two"][0] > sizes["one"][0]  # more columns


def test_rows_have_everybodys_score_and_what_is_missing(tmp_path):
    toy = Toy(images=4)
    models = [
        Oracle(toy, "depth", name="good", noise=0.01),
        Oracle(toy, "depth", name="poor", noise=0.3, fails=(3,)),
    ]
    entrants = Entrants(models=models)
    drawn = []

    def collect(path, rows, *, metric, cropped):
        drawn.append((path.name, list(rows), metric, cropped))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheet_rows.sheets, "draw", collect)
        reports = run.run(toy, entrants, How(output=tmp_path, sheets=4))
    ((name, rows, metric, cropped),) = drawn
    assert (name, metric, cropped) == ("toy.depth.sheet.jpg", "abs_rel", True)
    assert {row.title.partition(":")[0] for row in rows} == {"worst", "median", "best"}
    for row in rows:
        good, poor = row.maps
        assert good.values.shape == row.truth.shape == toy.size
        lost = row.title.endswith(toy.names[3])
        assert (poor.values is None) == (poor.score is None) == lost
        assert lost or poor.score > good.score
    assert reports[1]["failed"][0]["image"] == toy.names[3]
