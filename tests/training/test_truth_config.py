import pytest

from monostep.errors import SettingError
from monostep.recipes import recipe
from monostep.training.overriding import override


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("far_m=0", "far_m is 0.0: it must be above 0"),
        ("sky_weight=-1", "sky_weight is -1.0: it must be 0 or above"),
        ("latent_weight=NaN", "latent_weight is nan: it must be 0 or above"),
        ("align_from=-0.5", "align_from is -0.5: it must be 0 or above"),
        ("steps=0", "steps is 0: it must be above 0"),
    ],
)
def test_what_cannot_be_run_is_refused(setting, message):
    with pytest.raises(SettingError, match=message):
        override(recipe("nano-depth"), [setting])
