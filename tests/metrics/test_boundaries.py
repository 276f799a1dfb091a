import math

import live_bytes
import numpy as np
import pytest
import torch
from scipy import ndimage

from monostep.metrics import boundaries

SIZE = (96, 128)


@pytest.fixture(scope="module")
def truth_m():
    """Discs before a slanted wall: round edges of many strengths, and nothing else."""
    generator = np.random.default_rng(3)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    depth_m = 5 + 0.01 * rows + 0.005 * columns
    for _ in range(14):
        radius, strength = generator.uniform(6, 16), generator.uniform(0.6, 0.97)
        row, column = generator.uniform(0, SIZE[0]), generator.uniform(0, SIZE[1])
        inside = (rows - row) ** 2 + (columns - column) ** 2 < radius**2
        depth_m = np.where(inside, strength * depth_m, depth_m)
    return torch.from_numpy(depth_m.astype(np.float32))


@pytest.fixture(scope="module")
def everywhere():
    return torch.ones(SIZE, dtype=torch.bool)


@pytest.fixture(scope="module")
def noisy(truth_m):
    """A prediction with true, false and missing edges, and where it is judged."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.exp(0.05 * torch.randn(SIZE, generator=generator))
    valid = torch.rand(SIZE, generator=generator) > 0.2
    return truth_m * noise, valid


def _reference(depth_m, truth_m, valid):
    """Threshold by threshold and direction by direction, as the definition reads."""
    predicted, truth = depth_m.numpy().astype(np.float64), truth_m.numpy().astype(np.float64)
    valid = valid.numpy()
    ways = [np.s_[:, :-1], np.s_[:, 1:]], [np.s_[:-1], np.s_[1:]]
    ways = [pair for one, other in ways for pair in ((one, other), (other, one))]
    weights, values = [], []
    for ratio in np.linspace(1.05, 1.25, 10):
        common = found = real = 0
        for near, far in ways:
            both = valid[near] & valid[far]
            true_edge = (truth[far] > ratio * truth[near]) & both
            edge = (predicted[far] > ratio * predicted[near]) & both
            common += (true_edge & edge).sum()
            found += edge.sum()
            real += true_edge.sum()
        if real:
            precision, recall = common / max(found, 1), common / real
            f1 = 2 * precision * recall / (precision + recall) if common else 0.0
            weights.append(ratio)
            values.append((precision, recall, f1))
    found = np.average(values, axis=0, weights=weights) if weights else (math.nan,) * 3
    edges = np.zeros(truth.shape, bool)
    for near, far in ways:
        steep = (truth[far] > 1.05 * truth[near]) & valid[near] & valid[far]
        edges[near] |= steep
        edges[far] |= steep
    beside = ndimage.binary_dilation(edges, np.ones((7, 7)))
    error = np.abs(predicted - truth) / truth
    return [*found, error[beside & valid].mean(), error[~beside & valid].mean()]


@pytest.mark.parametrize("strip", [64, 1000, 1 << 18])
def test_scores_agree_with_numpy_whatever_the_strips(noisy, truth_m, monkeypatch, strip):
    predicted, valid = noisy
    monkeypatch.setattr(boundaries, "_STRIP", strip)
    scores = boundaries.scores(predicted, truth_m, valid)
    assert tuple(scores) == boundaries.NAMES
    expected = _reference(predicted, truth_m, valid)
    assert list(scores.values()) == pytest.approx(expected, rel=1e-6)
    assert 0.05 < scores["boundary_precision"] < scores["boundary_recall"] < 0.98


def test_the_truth_meets_its_own_edges(truth_m, everywhere):
    assert list(boundaries.scores(truth_m, truth_m, everywhere).values()) == [1, 1, 1, 0, 0]


def test_truth_and_prediction_swap_precision_and_recall(noisy, truth_m):
    predicted, valid = noisy
    one = boundaries.scores(predicted, truth_m, valid)
    other = boundaries.scores(truth_m, predicted, valid)
    assert one["boundary_precision"] == pytest.approx(other["boundary_recall"])
    assert one["boundary_recall"] == pytest.approx(other["boundary_precision"])
    assert one["boundary_f1"] == pytest.approx(other["boundary_f1"])


def test_scale_moves_no_edge(noisy, truth_m):
    predicted, valid = noisy
    one = boundaries.scores(predicted, truth_m, valid)
    other = boundaries.scores(4 * predicted, truth_m, valid)
    for name in boundaries.NAMES[:3]:
        assert one[name] == other[name]


@pytest.mark.parametrize(
    "turn", [lambda x: x.T.contiguous(), lambda x: x.flip(0), lambda x: x.flip(1)]
)
def test_turning_the_image_changes_nothing(noisy, truth_m, turn):
    predicted, valid = noisy
    one = boundaries.scores(predicted, truth_m, valid)
    other = boundaries.scores(turn(predicted), turn(truth_m), turn(valid))
    assert one == pytest.approx(other)


def _along(change, strengths, truth_m, valid):
    found = [boundaries.scores(change(each), truth_m, valid) for each in strengths]
    return {name: np.array([scores[name] for scores in found]) for name in boundaries.NAMES}


def test_the_more_a_copy_is_blurred_the_more_recall_it_loses(truth_m, everywhere):
    def blurred(sigma):
        return torch.from_numpy(ndimage.gaussian_filter(truth_m.numpy(), sigma))

    scores = _along(blurred, (0, 0.5, 1, 1.5, 2, 3, 4), truth_m, everywhere)
    assert scores["boundary_recall"][0] == 1
    assert (np.diff(scores["boundary_recall"]) < 0).all()
    assert scores["boundary_recall"][-1] < 0.05
    assert (np.diff(scores["abs_rel_near_edges"]) > 0).all()
    assert (scores["abs_rel_near_edges"][1:] > 3 * scores["abs_rel_off_edges"][1:]).all()


def test_a_strong_edge_survives_blur_in_recall_and_pays_in_precision():
    """From 2 m to 10 m: its own pair stays an edge, and those beside it become false ones."""
    step = torch.full(SIZE, 2.0)
    step[:, SIZE[1] // 2 :] = 10

    def blurred(sigma):
        return torch.from_numpy(ndimage.gaussian_filter(step.numpy(), sigma))

    scores = _along(blurred, (0, 0.5, 1, 1.5, 2, 3), step, torch.ones(SIZE, dtype=torch.bool))
    assert (np.diff(scores["boundary_recall"]) <= 0).all()
    assert scores["boundary_recall"][1] == 1
    assert (np.diff(scores["boundary_precision"]) < 0).all()
    assert (np.diff(scores["boundary_f1"]) < 0).all()


def test_the_stronger_an_added_texture_the_more_precision_is_lost(truth_m, everywhere):
    noise = torch.randn(SIZE, generator=torch.Generator().manual_seed(5))

    def textured(amplitude):
        return truth_m * torch.exp(amplitude * noise)

    scores = _along(textured, (0, 0.02, 0.03, 0.05, 0.08, 0.12), truth_m, everywhere)
    assert scores["boundary_precision"][0] == 1
    assert (np.diff(scores["boundary_precision"]) < 0).all()
    assert scores["boundary_precision"][-1] < 0.15
    assert scores["boundary_recall"].min() > 0.7


@pytest.mark.parametrize("axis", [0, 1])
def test_the_farther_a_copy_is_shifted_the_more_of_both_is_lost(truth_m, everywhere, axis):
    rest = [slice(None)] * 2

    def shifted(pixels):
        moved = truth_m.roll(pixels, dims=axis)
        rest[axis] = slice(0, pixels)
        moved[tuple(rest)] = truth_m[tuple(rest)]
        return moved

    scores = _along(shifted, range(6), truth_m, everywhere)
    for name in boundaries.NAMES[:3]:
        assert scores[name][0] == 1
        assert (np.diff(scores[name]) < 0).all()
        assert scores[name][-1] < 0.2


def test_an_edge_found_the_wrong_way_round_is_missed_and_false(everywhere):
    truth_m = torch.ones(SIZE)
    truth_m[:, 60:] = 2
    scores = boundaries.scores(3 - truth_m, truth_m, everywhere)
    assert list(scores.values())[:3] == [0, 0, 0]


def test_what_lies_in_holes_changes_nothing(noisy, truth_m):
    predicted, valid = noisy
    one = boundaries.scores(predicted, truth_m, valid)
    for value in (math.nan, math.inf, 0.0, -1.0):
        other = boundaries.scores(
            predicted.masked_fill(~valid, value), truth_m.masked_fill(~valid, value), valid
        )
        assert one == other


def test_the_rim_of_a_hole_is_no_edge(everywhere):
    truth_m, predicted = torch.full(SIZE, 2.0), torch.full(SIZE, 2.0)
    truth_m[:, 40:], predicted[:, 40:] = 3, 5
    valid = everywhere.clone()
    valid[:, 38:42] = False
    scores = boundaries.scores(predicted, truth_m, valid)
    assert all(math.isnan(value) for value in list(scores.values())[:4])
    assert scores["abs_rel_off_edges"] == pytest.approx((2 / 3) * 86 / 124)


def test_without_any_edge_a_prediction_has_no_precision_either(truth_m, everywhere):
    scores = boundaries.scores(torch.full(SIZE, 4.0), truth_m, everywhere)
    assert list(scores.values())[:3] == [0, 0, 0]


def test_ratios_that_the_truth_never_exceeds_are_left_out(everywhere):
    truth_m = torch.ones(SIZE)
    truth_m[:, 60:] = 1.1  # exceeds the first three
    predicted = truth_m.clone()
    predicted[:, 20:] *= 2
    scores = boundaries.scores(predicted, truth_m, everywhere)
    assert scores["boundary_recall"] == pytest.approx(1)
    assert scores["boundary_precision"] == pytest.approx(1 / 2)


def test_near_is_three_pixels_from_both_sides_of_an_edge(everywhere):
    truth_m = torch.ones(SIZE)
    truth_m[:, 60:] = 2
    predicted = truth_m.clone()
    predicted[:, 56:64] *= 1.5  # the edge's pixels are columns 59 and 60
    scores = boundaries.scores(predicted, truth_m, everywhere)
    assert scores["abs_rel_near_edges"] == pytest.approx(0.5)
    assert scores["abs_rel_off_edges"] == 0
    predicted[:, 55] = predicted[:, 64] = 9
    scores = boundaries.scores(predicted, truth_m, everywhere)
    assert scores["abs_rel_near_edges"] == pytest.approx(0.5)
    assert scores["abs_rel_off_edges"] == pytest.approx((8 + 3.5) / 120)


def test_no_valid_pixel_means_no_score(truth_m, everywhere):
    scores = boundaries.scores(truth_m, truth_m, ~everywhere)
    assert all(math.isnan(value) for value in scores.values())


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
def test_maps_of_one_row_or_column_are_scored(shape):
    truth_m = torch.linspace(1, 9, shape[0] * shape[1]).reshape(shape)
    valid = torch.ones(shape, dtype=torch.bool)
    scores = boundaries.scores(truth_m, truth_m, valid)
    if shape == (1, 1):
        assert math.isnan(scores["boundary_f1"]) and scores["abs_rel_off_edges"] == 0
    else:
        assert scores["boundary_f1"] == pytest.approx(1)


def test_memory_does_not_grow_with_the_image(monkeypatch):
    strip = 1 << 14
    monkeypatch.setattr(boundaries, "_STRIP", strip)

    def needed(rows):
        truth_m = 1 + torch.rand(rows, 256, generator=torch.Generator().manual_seed(0))
        valid = truth_m > 1.1
        return live_bytes.peak(lambda: boundaries.scores(truth_m, truth_m, valid))

    bytes_of_a_few_strips = needed(128)
    assert bytes_of_a_few_strips < 80 * strip  # 21 MB with strips of their usual size
    assert needed(512) < 1.05 * bytes_of_a_few_strips
