import pytest

from monostep.checkpoints import registry
from monostep.checkpoints.card import MAPS
from monostep.errors import SettingError
from monostep.evaluation.papers import published
from monostep.evaluation.papers.published import TABLES
from monostep.evaluation.papers.published_row import DEPTH, NORMALS, PROTOCOLS

ROWS = [
    pytest.param(row, id=f"{number}-{name}")
    for number, table in TABLES.items()
    for name, row in table.rows.items()
]


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_complete(row):
    names = DEPTH if row.task == "depth" else NORMALS
    assert set(row.cells) <= set(names)
    assert len(row.cells) >= 2
    for first, second in row.cells.values():
        assert 2 < first < 45  # percent, or degrees
        assert 10 < second < 99
        assert round(first, 1) == first
        assert round(second, 1) == second


@pytest.mark.parametrize("row", ROWS)
def test_how_a_row_can_be_scored_agrees_with_what_is_known_of_its_run(row):
    if row.how == "runnable":
        assert row.run.checkpoint
        assert (row.note is None) == (row.run.attention is None)
    elif row.how == "published":
        assert row.note
        assert row.run is None or (row.run.checkpoint is None and row.run.train)
    else:
        assert row.run is None
    if "GeoWizard" in row.method and row.how != "published":
        assert row.run.attention == "separate"
        assert "--attention joint" in row.note


def test_settings_fit_the_family_that_the_registry_knows():
    for table in TABLES.values():
        for row in table.rows.values():
            entry = registry.find(row.run.checkpoint) if row.run and row.run.checkpoint else None
            if entry is None:
                continue
            assert row.task in MAPS[entry.task]
            assert (entry.task == "geometry") == (row.run.attention is not None)
            assert (entry.family == "consistency") == (row.run.spacing == "lcm")
            assert (entry.family == "end-to-end") == (row.run.noise == "zeros")


def test_training_commands_name_recipes_and_settings_that_exist():
    from monostep.recipes import recipe

    commands = [
        row.run.train for table in TABLES.values() for row in table.rows.values() if row.run
    ]
    commands = [command.split() for command in commands if command]
    assert len(commands) == 4
    for *_, name, _, setting in commands:
        assert hasattr(recipe(name), setting.split("=")[0])


def test_bold_cells_of_the_paper():
    assert TABLES["1"].rows["marigold-e2e"].cells == {
        "nyuv2": (5.2, 96.6),
        "kitti": (9.6, 91.9),
        "eth3d": (6.2, 95.9),
        "scannet": (5.8, 96.2),
        "diode": (30.2, 77.9),
    }
    assert TABLES["2"].rows["sd-e2e"].cells["sintel"] == (33.5, 22.3)
    # The two that the authors' README has exchanged.
    assert TABLES["2"].rows["sd-e2e"].cells["scannet-normals"] == (14.7, 66.1)
    assert TABLES["3"].rows["geowizard-e2e"].cells["scannet-normals"] == (15.3, 63.6)


def test_a_row_in_several_tables_has_the_same_cells():
    for name in ("marigold-e2e", "sd-e2e"):
        depth = [TABLES[number].rows[name].cells for number in ("1", "4", "5")]
        assert depth[0] == depth[1] == depth[2]
        assert TABLES["2"].rows[name].cells == TABLES["6"].rows[name].cells
    assert TABLES["A-2"].rows["marigold-e2e"].cells == TABLES["1"].rows["marigold-e2e"].cells
    assert TABLES["5"].rows["depthfm-reproduced"].cells == {
        name: cell for name, cell in TABLES["A-4"].rows["depthfm-reproduced"].cells.items()
    }


def test_tables_are_found_by_number_only():
    assert len(published.table("5").rows) == 16
    with pytest.raises(SettingError, match=r"'7'.*1, 2"):
        published.table("7")


@pytest.mark.parametrize("benchmark", [*DEPTH, *NORMALS])
def test_beside_has_every_run_and_method_once(benchmark):
    protocol = PROTOCOLS["depth" if benchmark in DEPTH else "normals"]
    rows = [row for row, _ in published.beside(benchmark, protocol)]
    labels = [published.label(row) for row in rows]
    assert len(set(labels)) == len(labels)
    assert sum(label == "Marigold + E2E FT" for label in labels) == 1
    assert all(benchmark in row.cells for row in rows)


def test_beside_knows_only_what_was_judged_alike():
    assert published.beside("nyuv2", "monostep-1") == []
    assert published.beside("procedural", "procedural-1") == []
    alike = published.beside("sintel", "dsine-2024")
    assert alike == published.beside("sintel", "e2e-ft-2024") != []


def test_labels_tell_runs_of_one_checkpoint_apart():
    rows = TABLES["1"].rows
    assert published.label(rows["marigold-50x10"]) == "Marigold, 50 steps, ensemble 10"
    assert published.label(rows["marigold-e2e"]) == "Marigold + E2E FT"


def test_tolerance_is_least_where_nothing_is_drawn():
    rows = TABLES["5"].rows
    zeros, drawn, other = (
        published.tolerance(rows[name]) for name in ("marigold-e2e", "marigold-50x10", "dpt")
    )
    assert published.ROUNDING < zeros < drawn
    assert other >= zeros
