import pytest

from monostep.evaluation.papers import published, published_tables
from monostep.evaluation.reports import markdown
from monostep.evaluation.sets.depth_rules import depth_rules

RULES = depth_rules("nyuv2", "marigold-2024").as_dict()


def _group(abs_rel=0.0524, images=654):
    metrics = {"abs_rel": abs_rel, "delta1": 0.9661, "rmse_m": 0.25, "boundary_f1": None}
    return {
        "images": images,
        "metrics": metrics,
        "confidence": {"abs_rel": [0.05, 0.055], "delta1": [0.96, 0.97], "rmse_m": [0.2, 0.3]},
        "baselines": {},
        "without_value": {},
    }


@pytest.fixture
def values():
    return {
        "benchmark": "nyuv2",
        "protocol": "marigold-2024",
        "settings": {**RULES, "bootstrap": {"level": 0.95, "resamples": 2000, "seed": 0}},
        "data": {"is_reference_list": True},
        "model": "mine",
        "weights_sha256": "0123456789abcdef",
        "task": "depth",
        **_group(),
        "strata": {},
        "failed": [],
        "empty": 0,
        "missing": 0,
    }


def test_a_page_says_who_what_and_how(values):
    page = markdown.document(values)
    assert page.startswith("# nyuv2, protocol marigold-2024\n\nmine (weights 0123456789ab): 654 ")
    assert "means over images, with 95% intervals of 2000 bootstrap resamples" in page


def test_metrics_are_in_the_units_of_papers_with_their_interval(values):
    page = markdown.document(values)
    assert "| AbsRel, % | 5.24 | 5 to 5.5 |" in page
    assert "| RMSE, m | 0.25 | 0.2 to 0.3 |" in page
    assert "| boundary F1, % | - | - |" in page


def test_published_figures_stand_beside_ours(values):
    page = markdown.document(values)
    assert "| **mine** | 5.24 | 96.61 | - |" in page
    assert "| Marigold + E2E FT | 5.2 | 96.6 | 74K |" in page
    assert "| Marigold, 50 steps, ensemble 10 | 5.5 | 96.4 | 74K |" in page
    assert published.PAPER in page


def test_notes_of_published_rows_stand_below_them(values):
    """Depth Anything's figure of DIODE comes from another way of judging."""
    page = markdown.document({**values, "benchmark": "diode"})
    [line] = [line for line in page.splitlines() if line.startswith("| Depth Anything v2")]
    mark = line.split("[")[1].split("]")[0]
    assert f"\n- [{mark}] {published_tables.OTHER_DIODE}\n" in page
    [first] = [line for line in page.splitlines() if line.startswith("| Depth Anything [")]
    assert f"[{mark}]" in first


def test_nothing_stands_beside_what_nobody_published(values):
    page = markdown.document({**values, "protocol": "monostep-1"})
    assert "published" not in page


def test_differences_to_the_published_way_are_listed(values):
    values["settings"]["alignment"] = "scale"
    assert "\n- alignment is scale, not the protocol's None\n" in markdown.document(values)


def test_baselines_and_images_without_value_have_columns(values):
    values["baselines"] = {"row": {"abs_rel": 0.4, "delta1": 0.5, "rmse_m": 1.0}}
    values["without_value"] = {"boundary_f1": 3}
    page = markdown.document(values)
    assert "| metric | value | 95 % interval | row | images without it |" in page
    assert "| AbsRel, % | 5.24 | 5 to 5.5 | 40 | 0 |" in page
    assert "| boundary F1, % | - | - | - | 3 |" in page


def test_parts_are_listed_if_there_are_several(values):
    values["strata"] = {"indoor": _group(0.1, 3), "outdoor": _group(0.2, 4)}
    assert "| outdoor | 4 | 20 | 96.61 |" in markdown.document(values)
    values["strata"] = {"all": _group()}
    assert "## Parts" not in markdown.document(values)


def test_images_that_were_not_judged_are_named_up_to_a_number(values):
    values["failed"] = [{"image": f"i{n}", "reason": "a | b"} for n in range(22)]
    values["empty"], values["missing"] = 2, 1
    page = markdown.document(values)
    assert "654 images judged, 22 not, 2 of them without a valid pixel, 1 missing" in page
    assert "- i19: a | b\n- and 2 more, in the .json" in page


def test_without_a_judged_image_there_is_still_a_page(values):
    nothing = {"images": 0, "metrics": {}, "confidence": {}, "baselines": {}}
    page = markdown.document({**values, **nothing})
    assert "0 images judged" in page
    assert "| metric |" not in page


def test_pooled_reports_say_so(values):
    page = markdown.document({**values, "per_image": _group(0.06)})
    assert "over all pixels" in page
    assert "## Means over images" in page


def test_a_cell_cannot_break_its_table():
    assert markdown.table(["a"], [["x|y\nz"]]) == "| a |\n| --- |\n| x\\|y z |"


def test_columns_of_plain_text_stand_below_each_other():
    text = markdown.aligned(["metric", "A"], [["x", "1.25"], ["longer one", "2"]])
    assert text == "metric         A\nx           1.25\nlonger one     2"


@pytest.mark.parametrize(
    ("about", "name"), [({"model": "m"}, "m"), ({"predictions": "p"}, "p"), ({}, "-")]
)
def test_the_contender_is_a_model_or_predictions(about, name):
    assert markdown.contender(about) == name
