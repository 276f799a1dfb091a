from types import SimpleNamespace

import pytest
from torch import nn

from monostep.training.autoencoder import AutoencoderTask
from monostep.training.distil import CodecTask, StudentTask
from monostep.training.step import DepthTask, NormalsTask
from monostep.training.task import carried


@pytest.mark.parametrize("kind", [AutoencoderTask, DepthTask, NormalsTask, CodecTask, StudentTask])
def test_every_task_has_what_the_loop_asks_for(kind):
    assert all(callable(getattr(kind, name)) for name in ("loss", "score", "predict"))
    assert isinstance(kind.metric, str)


def test_a_task_carries_nothing_unless_it_says_so():
    module = nn.Linear(1, 1)
    assert carried(SimpleNamespace()) == {}
    assert carried(SimpleNamespace(carried={"target": module})) == {"target": module}
