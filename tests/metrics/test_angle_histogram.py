import pickle

import numpy as np
import pytest
import torch

from monostep.errors import InputError
from monostep.metrics import angle_histogram
from monostep.metrics.angle_histogram import AngleHistogram

COUNTS = (1, 2, 3, 1000, 1001)


def _of(*angles):
    histogram = AngleHistogram()
    for each in angles:
        histogram.add(torch.as_tensor(each, dtype=torch.float32))
    return histogram


def _drawn(kind, count):
    generator = np.random.default_rng(count)
    match kind:
        case "uniform":
            values = generator.uniform(0, 180, count)
        case "peaked":
            values = np.abs(generator.normal(0, 12, count)).clip(0, 180)
        case "over all octaves":
            values = np.exp2(generator.uniform(-10, 7.49, count))
        case "few values":
            values = generator.choice([3.7, 11.25, 11.250001, 90.0], count)
        case "two far apart":
            values = np.where(np.arange(count) % 2, 0.001, 179.9)
        case "opposite":
            values = np.full(count, 180.0)
        case "right":
            values = np.zeros(count)
    return values.astype(np.float32)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(
    "kind",
    [
        *("uniform", "peaked", "over all octaves", "few values", "two far apart"),
        *("opposite", "right"),
    ],
)
def test_the_median_is_numpys(kind, count):
    angles = _drawn(kind, count)
    expected = np.median(angles.astype(np.float64))
    assert _of(angles).median_deg() == pytest.approx(expected, rel=1e-6, abs=0)


@pytest.mark.parametrize("octave", range(-10, 8))
def test_every_float_is_within_the_bound_of_its_bin(octave):
    start, end = 2.0**octave, min(2.0 ** (octave + 1), 180.0)
    angles = torch.linspace(start, end, 1001)[:-1]
    first = torch.tensor(start).view(torch.int32) + torch.arange(40, dtype=torch.int32)
    last = torch.tensor(end).view(torch.int32) - 1 - torch.arange(40, dtype=torch.int32)
    angles = torch.cat([angles, first.view(torch.float32), last.view(torch.float32)])
    places = (angle_histogram._places(angles) - 1).tolist()
    middles = [angle_histogram._middle_deg(*divmod(place, 1 << 19)) for place in places]
    exact = angles.double().numpy()
    assert (np.abs(middles - exact) <= 7.5 * 2.0**-23 * exact).all()


def test_tiny_angles_count_as_0():
    tiny = np.float32(2**-10).item()
    below = np.nextafter(np.float32(tiny), np.float32(0))
    assert _of([below, 1e-30, 0.0, -0.0]).median_deg() == 0
    assert _of([tiny]).median_deg() == pytest.approx(tiny, rel=1e-6)


def test_order_and_parts_change_nothing():
    angles = _drawn("peaked", 4001)
    whole = _of(angles)
    parts = _of(angles[3000:], angles[:1000], angles[1000:3000][::-1].copy())
    assert parts.count == whole.count == 4001
    assert torch.equal(parts._counts, whole._counts)


def test_double_precision_is_within_the_bound_too():
    angles = torch.from_numpy(np.random.default_rng(0).uniform(0.01, 180, 999))
    histogram = AngleHistogram()
    histogram.add(angles)
    assert histogram.median_deg() == pytest.approx(float(angles.median()), rel=1e-6)


def test_nothing_has_no_median():
    assert np.isnan(_of().median_deg())
    assert np.isnan(_of([]).median_deg())


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1e-3, 180.001])
def test_what_is_no_angle_is_refused_and_nothing_counted(wrong):
    histogram = _of([10.0])
    many = np.full(1_100_000, 5, np.float32)
    many[-1] = wrong
    with pytest.raises(InputError, match="expected 0 to 180"):
        histogram.add(torch.from_numpy(many))
    assert histogram.count == 1


def test_a_file_holds_all_of_it(tmp_path):
    histogram = _of(_drawn("over all octaves", 1000), [0.0, 0.0, 180.0])
    histogram.save(tmp_path / "new" / "angles.npz")
    loaded = AngleHistogram.load(tmp_path / "new" / "angles.npz")
    assert torch.equal(loaded._counts, histogram._counts)
    loaded.add(torch.tensor([4.0]))
    assert loaded.count == histogram.count + 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["angles.npz"]


def test_pickles_and_files_are_small(tmp_path):
    histogram = _of(_drawn("peaked", 1000))
    data = pickle.dumps(histogram)
    assert len(data) < 20_000
    assert torch.equal(pickle.loads(data)._counts, histogram._counts)
    histogram.save(tmp_path / "angles.npz")
    assert (tmp_path / "angles.npz").stat().st_size < 20_000


def _cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def _other(path):
    np.savez(path, values=np.zeros(3))


def _beyond(path):
    with np.load(path) as file:
        held = dict(file)
    np.savez(path, **(held | {"places": held["places"] + (1 << 24)}))


def _later(path):
    with np.load(path) as file:
        held = dict(file)
    np.savez(path, **(held | {"format": "monostep angle histogram 2"}))


def _uneven(path):
    with np.load(path) as file:
        held = dict(file)
    np.savez(path, **(held | {"counts": held["counts"][1:]}))


@pytest.mark.parametrize(
    "spoil", [_cut, _other, _beyond, _later, _uneven, lambda path: path.unlink()]
)
def test_a_spoilt_file_is_refused_in_one_line(tmp_path, spoil):
    path = tmp_path / "angles.npz"
    _of([1.0, 2.0, 3.0]).save(path)
    spoil(path)
    with pytest.raises(InputError, match="histogram of angles") as caught:
        AngleHistogram.load(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_the_memory_is_what_is_said_whatever_is_counted():
    histogram = _of(np.linspace(0, 180, 500_000, dtype=np.float32))
    assert histogram._counts.nbytes == angle_histogram.BYTES == 75_497_480


@pytest.mark.slow
def test_half_a_billion_angles():
    """As many as the valid pixels of Sintel; the median of a known distribution."""
    histogram = AngleHistogram()
    generator = torch.Generator().manual_seed(0)
    sample = (40 * torch.randn(1 << 20, generator=generator)).abs().clamp(max=180)
    times = 500
    for _ in range(times):
        histogram.add(sample)
    assert histogram.count == times * len(sample) > 5e8
    expected = np.median(sample.numpy().astype(np.float64))
    assert histogram.median_deg() == pytest.approx(expected, rel=1e-6)
