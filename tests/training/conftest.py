"""What holds for every test of training."""

from functools import partial

import drawn_scenes
import pytest

from monostep.data.cache import SceneCache
from monostep.training import source


@pytest.fixture(autouse=True, scope="module")
def _drawn():
    """It asks for many small scenes, and any will do; runs of their own process have real ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "SceneCache", partial(SceneCache, renderer=drawn_scenes.render))
        yield
