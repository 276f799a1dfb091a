import micro_models
import numpy as np
import pytest
import torch

from monostep.checkpoints import folder, opening
from monostep.diffusion import forward
from monostep.errors import SettingError
from monostep.reproduction import generation

SIZE = (24, 32)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    place = tmp_path_factory.mktemp("base")
    micro = micro_models.write(place / "micro", inputs=4)
    folder.save_base(opening.load(opening.find(micro)), place / "base")
    return generation.opened(place / "base")


@pytest.fixture(scope="module")
def generated(model):
    return generation.generate(model, count=3, size=SIZE, steps=(1, 10))


def _random(count, *, seed, shift=0.0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, 4, 5, generator=generator) + shift


def test_a_model_of_maps_is_refused(tmp_path):
    with pytest.raises(SettingError, match="give the base model"):
        generation.opened(micro_models.write(tmp_path / "model"))


def test_images_are_in_range_and_differ_by_noise_and_by_way(generated):
    assert list(generated) == [
        f"{spacing}_{steps}" for spacing in ("leading", "trailing") for steps in (1, 10)
    ]
    for images in generated.values():
        assert images.shape == (3, 3, *SIZE)
        assert images.min() >= 0 and images.max() <= 1
        assert (images[0] - images[1]).abs().mean() > 1e-3
    ways = torch.stack(list(generated.values()))
    assert (torch.pdist(ways.flatten(1)) > 1e-3).all()


def test_more_images_leave_the_first_ones_as_they_are(model, generated, monkeypatch):
    monkeypatch.setattr(generation, "AT_ONCE", 2)
    for name, images in generation.generate(model, count=2, size=SIZE, steps=(1, 10)).items():
        torch.testing.assert_close(images, generated[name][:2], rtol=0, atol=1e-4)
    other = generation.generate(model, count=2, size=SIZE, seed=1, steps=(1,))
    assert (other["trailing_1"] - generated["trailing_1"][:2]).abs().mean() > 1e-3


@torch.no_grad()
def test_one_step_is_what_the_velocity_at_the_end_says(model, generated):
    noise = torch.randn(3, 4, 12, 16, generator=torch.Generator().manual_seed(0))
    for name, time in (("trailing_1", 999), ("leading_1", 1)):
        when = torch.full((3,), time)
        said = model.unet(noise, when, model.prompt.expand(3, -1, -1))
        signal, rest = forward.amplitudes(model.schedule, noise, when)
        image = (model.decode(signal * noise - rest * said) + 1) / 2
        torch.testing.assert_close(generated[name], image.clamp(0, 1), rtol=0, atol=1e-5)


def test_sides_are_whole_cells(model):
    with pytest.raises(SettingError, match="divisible by 2"):
        generation.generate(model, count=1, size=(23, 32))


def test_the_mean_of_the_parts_is_the_energy_distance():
    made, held_out = _random(5, seed=0).double(), _random(7, seed=1, shift=0.3).double()
    x, y = made.flatten(1).numpy(), held_out.flatten(1).numpy()

    def apart(one, other):
        return np.array([[np.sqrt(np.mean((a - b) ** 2)) for b in other] for a in one])

    expected = 2 * apart(x, y).mean() - apart(x, x).sum() / 20 - apart(y, y).sum() / 42
    found = generation.distances({"trailing_1": made}, held_out)
    distance = found.columns["trailing_1"].mean() - found.columns["held_out"].mean()
    assert distance == pytest.approx(expected, rel=1e-9)
    assert found.names == ("000000", "000001", "000002", "000003", "000004")
    assert set(found.strata) == {"all"}


def test_distances_grow_with_the_difference_and_vanish_without():
    held_out = _random(60, seed=1)
    made = {str(shift): _random(60, seed=2, shift=shift) for shift in (0.0, 0.1, 0.3)}
    found = generation.distances(made, held_out)
    none, small, large = ((found.columns[name] - found.columns["held_out"]).mean() for name in made)
    assert abs(none) < 0.003 < small < large


def test_the_order_of_held_out_images_does_not_matter():
    made, held_out = {"a": _random(4, seed=0)}, _random(6, seed=1)
    one = generation.distances(made, held_out).columns["a"]
    np.testing.assert_allclose(one, generation.distances(made, held_out.flip(0)).columns["a"])


def test_one_held_out_image_is_not_enough():
    with pytest.raises(ValueError, match="needs 2 or more"):
        generation.distances({"a": _random(4, seed=0)}, _random(1, seed=1))


def test_a_sheet_has_a_row_for_each_kind(generated):
    sheet = generation.sheet(generated, columns=2)
    height, width = SIZE[0] + generation.GAP, SIZE[1] + generation.GAP
    assert sheet.shape == (4 * height, 2 * width, 3) and sheet.dtype == np.uint8
    first = sheet[height : height + SIZE[0], width : width + SIZE[1]]
    expected = generated["leading_10"][1].permute(1, 2, 0).numpy() * 255
    np.testing.assert_allclose(first, expected, atol=0.51)


def test_the_spread_of_the_parts_is_that_of_the_distance_over_other_samples():
    held_out = _random(40, seed=1)
    drawn = [
        generation.distances({"a": _random(30, seed=k, shift=0.2)}, held_out).columns["a"]
        for k in range(2, 42)
    ]
    told = np.mean([parts.std(ddof=1) / len(parts) ** 0.5 for parts in drawn])
    assert np.std([parts.mean() for parts in drawn]) == pytest.approx(told, rel=0.35)
