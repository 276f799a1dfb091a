import pytest
import torch

from monostep.checkpoints.card import FORMAT, Card, tensor_hash
from monostep.errors import CheckpointError


def test_a_card_survives_its_dictionary():
    card = Card(name="a", task="normals", frame="opengl", scores={"test": {"mean_angle_deg": 1.0}})
    assert Card.from_dict(card.as_dict()) == card


@pytest.mark.parametrize("steps", [1, 4, 50])
@pytest.mark.parametrize("family", ["end-to-end", "diffusion", "consistency"])
def test_every_family_and_number_of_steps_is_a_card(family, steps):
    card = Card(name="a", task="normals", frame="dsine", family=family, steps=steps)
    assert Card.from_dict({**card.as_dict(), "noise": "gaussian", "spacing": "lcm"}).steps == steps


def test_a_newer_format_and_unknown_entries_are_named():
    values = Card(name="a", task="depth", quantity="depth", invariance="affine").as_dict()
    with pytest.raises(CheckpointError, match="upgrade monostep"):
        Card.from_dict({**values, "format": FORMAT + 1})
    with pytest.raises(CheckpointError, match="colour"):
        Card.from_dict({**values, "colour": "red"})


def test_the_hash_sees_every_bit_name_and_type_but_not_the_order():
    one, two = torch.arange(4.0), torch.ones(2)
    whole = tensor_hash({"a": one, "b": two})
    assert whole == tensor_hash({"b": two, "a": one})
    changed = one.clone()
    changed[3] += 1e-6
    others = [{"a": changed, "b": two}, {"a": one, "c": two}, {"a": one.double(), "b": two}]
    others.append({"a": one.reshape(2, 2), "b": two})
    assert len({whole, *(tensor_hash(other) for other in others)}) == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "albedo"}, "albedo"),
        ({"quantity": None}, "must say its quantity and invariance"),
        ({"task": "normals"}, "must say its frame"),
        ({"steps": 0}, "steps 0; expected a whole number >= 1"),
        ({"ensemble": 1.5}, "ensemble 1.5"),
        ({"resolution": -8}, "resolution -8; expected a whole number >= 0"),
        ({"steps": True}, "steps True"),
        ({"noise": "white"}, "noise 'white'; expected zeros or gaussian or pyramid"),
        ({"spacing": "even"}, "spacing 'even'; expected trailing or leading"),
        ({"family": "gan"}, "family 'gan'"),
        ({"last": "first"}, "last 'first'; expected clean or previous"),
        ({"grade": "best"}, "grade 'best'"),
        ({"quantity": "height"}, "quantity 'height'"),
        ({"invariance": "none"}, "invariance 'none'"),
        ({"frame": "blender"}, "frame 'blender'"),
        ({"format": "1"}, "upgrade monostep"),
        ({"attention": "joint"}, "attention 'joint' in a depth model's; .* remove it"),
        ({"domain": "indoor"}, "domain 'indoor' in a depth model's"),
    ],
)
def test_a_card_that_this_version_cannot_serve_is_refused(change, message):
    values = Card(name="a", task="depth", quantity="depth", invariance="affine").as_dict()
    with pytest.raises(CheckpointError, match=message):
        Card.from_dict({**values, **change})


def test_the_hash_takes_bfloat16():
    assert tensor_hash({"a": torch.ones(3, dtype=torch.bfloat16)})
