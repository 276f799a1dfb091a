from dataclasses import replace

import joint_models
import micro_models
import pytest
import torch

from monostep import inference as choices
from monostep.checkpoints import opening
from monostep.geometry import decode
from monostep.geometry.depth import Depth
from monostep.geometry.geometry import Geometry
from monostep.geometry.normals import Normals
from monostep.inspection import differences
from monostep.inspection.differences import SHORT, Observed, Seen, apart, largest
from monostep.metrics.normals import angle_deg

SIZE = (20, 28)


def _vectors(seed=0, length=1.0):
    made = torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(seed))
    return length * made / made.norm(dim=0)


def _seen(vectors, depth=0.5):
    kinds = {
        "depth": Depth(tensor=torch.full((5, 7), depth), quantity="depth", invariance="affine"),
        "normals": Normals(tensor=vectors / vectors.norm(dim=0)),
    }
    return Seen(result=Geometry(**kinds), lengths=vectors.norm(dim=0))


@pytest.mark.parametrize(
    ("one", "other", "counts"),
    [
        (1, 1, 1),
        (0.5, 3, 1),
        (SHORT / 2, SHORT / 2, 0.5),
        (SHORT / 20, SHORT / 4, 0.25),
        (SHORT / 20, 1, 1),  # it should have been short
        (0.4, SHORT / 20, 1),
    ],
)
def test_an_angle_counts_in_proportion_to_the_longer_vector_up_to_a_length(one, other, counts):
    left, right = _vectors(0, one), _vectors(1, other)
    found = apart("normals", _seen(left), _seen(right))
    angle = angle_deg(left[None], right[None])[0]
    assert angle.min() > 1
    torch.testing.assert_close(found, counts * angle, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(apart("normals", _seen(right), _seen(left)), found)


def test_a_small_change_counts_as_much_of_any_short_vector():
    across = torch.linalg.cross(_vectors(0).double(), _vectors(1).double(), dim=0)
    turn = 1e-4 * across / across.norm(dim=0)
    for length in (SHORT, 0.1, 0.02):
        vectors = _vectors(0, length).double()
        found = apart("normals", _seen(vectors), _seen(vectors + turn))
        expected = torch.full((5, 7), 1e-4 / SHORT).rad2deg()
        torch.testing.assert_close(found, expected, rtol=0.01, atol=0, check_dtype=False)


def test_the_worst_of_several_pairs_is_said():
    right, near, far = _seen(_vectors()), _seen(_vectors(), 0.51), _seen(_vectors(), 0.8)
    found = largest("depth", [near, far], [right, right])
    assert (found.map, found.size) == ("depth", (5, 7))
    assert (found.largest, found.mean) == pytest.approx((0.3, 0.3))
    assert largest("normals", [near, far], [right, right]).largest < 1e-3


def test_what_is_no_number_is_not_near():
    broken = replace(_seen(_vectors()), lengths=torch.full((5, 7), float("nan")))
    assert not largest("normals", [broken], [broken]).largest <= 1


@pytest.mark.parametrize("kind", ["depth", "normals", "geometry"])
def test_what_is_observed_are_the_lengths_of_what_was_decoded(tmp_path, kind):
    if kind == "geometry":
        source = joint_models.geometry_folder(tmp_path / "m")
    else:
        source = micro_models.write(tmp_path / "m", kind)
    found = opening.find(source)
    how = choices.resolve(found.card, resolution=0)
    asked = {"device": torch.device("cpu"), "dtype": torch.float32}
    observed = Observed(opening.load(found), found.card, **asked)
    picture = torch.rand(3, 20, 30, generator=torch.Generator().manual_seed(0))
    decoded = []
    inner = observed.network.decode
    observed.network.decode = lambda latent: decoded.append(inner(latent)) or decoded[-1]
    seen = observed.see(picture, how)
    if kind == "depth":
        assert seen.lengths is None
        return
    assert seen.lengths is not None
    assert seen.lengths.shape == picture.shape[1:]
    vectors = decoded[-1][-1][:, :20, :30]
    torch.testing.assert_close(seen.lengths, vectors.norm(dim=0))
    assert seen.lengths.std() > 0.01
    result = differences.map_of(seen.result, "normals").tensor
    ours = decode.normals(vectors[None])
    assert angle_deg(ours.abs(), result[None].abs()).max() < 0.1  # but for the frame
