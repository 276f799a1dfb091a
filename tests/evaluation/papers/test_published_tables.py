import pytest

from monostep.checkpoints import registry
from monostep.evaluation.papers import published_tables
from monostep.evaluation.papers.published import TABLES
from monostep.evaluation.papers.published_row import DEPTH, NORMALS, TITLES

# Each cell as it is printed: AbsRel/delta1 of NYUv2, KITTI, ETH3D, ScanNet, DIODE; or mean
# angle/share below 11.25 degrees of NYUv2, ScanNet, iBims-1, Sintel.
PRINTED = {
    "1": """
        marigold-50x10         5.5/96.4  9.9/91.6  6.5/96.0  6.4/95.1  30.8/77.3
        marigold-50x1          6.0/95.9 10.5/90.4  7.1/95.1  6.9/94.5  31.0/77.2
        marigold-lcm-4x5       6.2/95.6  9.9/91.7  6.9/95.5  7.0/94.5  30.9/77.6
        marigold-lcm-1x1       6.5/95.4 10.7/89.9  7.5/94.5  7.6/93.8  31.5/76.3
        marigold-fixed         5.7/96.2 10.8/89.6  6.9/95.5  6.6/95.2  31.1/76.8
        marigold-e2e           5.2/96.6  9.6/91.9  6.2/95.9  5.8/96.2  30.2/77.9
        sd-e2e                 5.4/96.5  9.6/92.1  6.4/95.9  5.8/96.5  30.3/77.6
    """,
    "2": """
        marigold-50x10        18.8/55.9 17.7/58.8 18.4/64.3 39.1/14.9
        marigold-fixed        17.4/56.5 16.8/57.6 18.1/62.9 37.1/15.7
        marigold-e2e          16.2/61.4 14.7/66.0 15.8/69.9 33.5/21.5
        sd-e2e                16.5/60.4 14.7/66.1 16.1/69.7 33.5/22.3
    """,
    "3": """
        geowizard             17.0/56.5 15.4/61.6 13.0/65.3 -
        geowizard-reproduced  19.1/49.5 17.3/53.7 19.5/61.6 40.4/13.2
        geowizard-fixed       17.0/54.1 15.5/59.3 18.3/62.5 35.9/15.6
        geowizard-e2e         16.1/60.7 15.3/63.6 16.2/69.4 33.4/22.4
    """,
    "4": """
        marigold-e2e-gaussian  5.3/96.4  9.9/91.4  6.3/95.9  5.9/96.0  30.5/77.3
        marigold-e2e-pyramid   5.4/96.5  9.9/91.0  6.3/96.0  6.0/95.9  30.1/77.7
        marigold-e2e           5.2/96.6  9.6/91.9  6.2/95.9  5.8/96.2  30.2/77.9
        sd-e2e-gaussian        5.8/96.1  9.8/91.5  6.6/95.5  6.0/96.1  30.7/77.2
        sd-e2e                 5.4/96.5  9.6/92.1  6.4/95.9  5.8/96.5  30.3/77.6
    """,
    "5": """
        midas                 11.1/88.5 23.6/63.0 18.4/75.2 12.1/84.6  33.2/71.5
        leres                  9.0/91.6 14.9/78.4 17.1/77.7  9.1/91.7  27.1/76.6
        omnidata-v1            7.4/94.5 14.9/83.5 16.6/77.8  7.5/93.6  33.9/74.2
        hdn                    6.9/94.8 11.5/86.7 12.1/83.3  8.0/93.9  24.6/78.0
        dpt                    9.8/90.3 10.0/90.1  7.8/94.6  8.2/93.4  18.2/75.8
        depth-anything         4.3/98.1  7.6/94.7 12.7/88.2  -          6.6/95.2
        depth-anything-v2      4.4/97.9  7.5/94.8 13.2/86.2  -          6.5/95.4
        metric3d               5.0/96.6  5.8/97.0  6.4/96.5  7.4/94.1  22.4/80.5
        metric3d-v2            4.3/98.1  4.4/98.2  4.2/98.3  -         13.6/89.5
        marigold-50x10         5.5/96.4  9.9/91.6  6.5/96.0  6.4/95.1  30.8/77.3
        geowizard              5.2/96.6  9.7/92.1  6.4/96.1  6.1/95.3  29.7/79.2
        geowizard-reproduced   5.7/96.2 14.4/82.0  7.5/94.3  6.1/95.8  31.4/77.1
        depthfm                6.5/95.6  8.3/93.4  -         -         22.5/80.0
        depthfm-reproduced     6.9/95.4 11.4/88.1  6.5/96.2  8.1/92.5  25.0/78.3
        marigold-e2e           5.2/96.6  9.6/91.9  6.2/95.9  5.8/96.2  30.2/77.9
        sd-e2e                 5.4/96.5  9.6/92.1  6.4/95.9  5.8/96.5  30.3/77.6
    """,
    "6": """
        omnidata-v1           23.1/45.8 22.9/47.4 19.0/62.1 41.5/11.4
        omnidata-v2           17.2/55.5 16.2/60.2 18.2/63.9 40.5/14.7
        dsine                 16.4/59.6 16.2/61.0 17.1/67.4 34.9/21.5
        metric3d-v2           13.3/66.4 -         19.6/69.7 -
        marigold-50x10        18.8/55.9 17.7/58.8 18.4/64.3 39.1/14.9
        geowizard             17.0/56.5 15.4/61.6 13.0/65.3 -
        geowizard-reproduced  19.1/49.5 17.3/53.7 19.5/61.6 40.4/13.2
        geowizard-e2e         16.1/60.7 15.3/63.6 16.2/69.4 33.4/22.4
        marigold-e2e          16.2/61.4 14.7/66.0 15.8/69.9 33.5/21.5
        sd-e2e                16.5/60.4 14.7/66.1 16.1/69.7 33.5/22.3
    """,
    "A-2": """
        marigold-e2e           5.2/96.6  9.6/91.9  6.2/95.9  5.8/96.2  30.2/77.9
        marigold-e2e-decoder   5.3/96.5  9.6/91.9  6.2/96.0  5.8/96.1  30.2/77.7
    """,
    "A-3": """
        geowizard-fixed        5.8/96.1 13.3/84.7  7.8/94.3  6.2/95.7  32.0/76.0
        geowizard-e2e          5.6/96.1  9.8/91.4  6.3/95.7  5.9/96.2  30.6/77.9
    """,
    "A-4": """
        depthfm-reproduced     6.9/95.4 11.4/88.1  6.5/96.2  8.1/92.5  25.0/78.3
        depthfm-1x1            7.5/95.0 11.6/87.5  6.7/96.0  8.3/92.3  25.3/77.9
    """,
}


@pytest.mark.parametrize("number", list(TABLES))
def test_every_cell_is_as_the_paper_prints_it(number):
    lines = [line.split() for line in PRINTED[number].strip().splitlines()]
    printed = {key: cells for key, *cells in lines}
    names = DEPTH if number in {"1", "4", "5", "A-2", "A-3", "A-4"} else NORMALS
    found = {
        key: [
            "{:.1f}/{:.1f}".format(*row.cells[name]) if name in row.cells else "-" for name in names
        ]
        for key, row in TABLES[number].rows.items()
    }
    assert found == printed
    assert all(set(row.cells) <= set(names) for row in TABLES[number].rows.values())


def test_what_the_registry_has_is_printed_as_there():
    for row in published_tables.TABLE_1.values():
        entry = registry.BY_NAME[row.run.checkpoint]
        known = [
            {name: (cell["abs_rel"], cell["delta1"]) for name, cell in scores.items()}
            for scores in entry.scores.values()
        ]
        shares = {
            TITLES[name]: (round(error / 100, 6), round(share / 100, 6))
            for name, (error, share) in row.cells.items()
        }
        assert shares in known


def test_a_missing_cell_is_absent():
    row = published_tables.depth("m", None, (1.0, 90.0), None, (2.0, 80.0), None, None)
    assert row.cells == {"nyuv2": (1.0, 90.0), "eth3d": (2.0, 80.0)}
    row = published_tables.normals("m", "1K", None, None, None, (30.0, 20.0))
    assert row.cells == {"sintel": (30.0, 20.0)}
    assert row.how == "predictions"


def test_an_ablation_says_how_to_train_it():
    row = published_tables.ablation(
        "m", "r", *[(1.0, 90.0)] * 5, setting="noise=x", noise="pyramid"
    )
    assert row.run.train == "monostep train r --set noise=x"
    assert row.run.noise == "pyramid"
    assert row.how == "published"
