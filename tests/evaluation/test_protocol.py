import json

import pytest

from monostep.data.splits import SEEDS
from monostep.errors import SettingError
from monostep.evaluation.protocol import Motorcycle, Procedural


def test_what_is_measured_on_is_never_what_was_trained_on():
    protocol = Procedural()
    assert protocol.seed == SEEDS["test"]
    assert protocol.baseline_seed == SEEDS["train"]
    assert len({SEEDS["train"], SEEDS["validation"], protocol.seed}) == 3


@pytest.mark.parametrize("protocol", [Procedural(), Motorcycle()])
def test_every_choice_can_be_written_down(protocol):
    values = json.loads(json.dumps(protocol.as_dict()))
    assert values["name"] == protocol.name
    assert "least squares" in values["alignment"]
    assert values["least_m"] == 1e-3


@pytest.mark.parametrize("field", ["images", "height", "width", "baseline_scenes"])
def test_nothing_to_render_is_refused(field):
    with pytest.raises(SettingError, match=field):
        Procedural(**{field: 0})
