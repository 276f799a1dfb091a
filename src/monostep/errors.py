"""The errors a user can meet, as one small tree.

MonostepError
+ InputError          an image or map that cannot be read or does not fit
+ OutputError         a result that cannot be written
+ CheckpointError     a model folder or file that is missing, partial, corrupt or ambiguous
+ SettingError        an option, recipe or card value that makes no sense
+ ScaleError          metres asked of a map that has no scale
+ MissingExtraError   an optional package that is not installed
+ TrainingError       a run that cannot go on: no finite loss, no state to resume

MonostepWarning is for what works, but worse than it could.
"""


class MonostepError(Exception):
    """Base of every error that monostep raises on purpose."""


class InputError(MonostepError, ValueError):
    """An image or map that cannot be read or does not fit."""


class OutputError(MonostepError, OSError):
    """A result that cannot be written."""


class CheckpointError(MonostepError, ValueError):
    """A model folder or file that is missing, partial, corrupt or ambiguous."""


class SettingError(MonostepError, ValueError):
    """An option, recipe or card value that makes no sense."""


class ScaleError(MonostepError, ValueError):
    """Metres asked of a map that is known only up to scale and shift."""


class MissingExtraError(MonostepError, ImportError):
    """An optional package that is not installed."""


class TrainingError(MonostepError, RuntimeError):
    """A training run that cannot go on."""


class MonostepWarning(UserWarning):
    """Settings that work, but make results worse than they need be."""
