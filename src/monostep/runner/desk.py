"""What the threads do for one image: bring its picture in, and take its results out."""

import errno
from threading import Event

from monostep.errors import InputError, MissingExtraError, OutputError
from monostep.runner import outputs
from monostep.runner.batch import Prediction
from monostep.runner.inputs import Job
from monostep.runner.ledger import Ledger, Outcome
from monostep.runner.outputs import Picture
from monostep.runner.plan import Plan
from monostep.runner.record import Input, Record

# What will not be better with the next image, so that going on would only repeat it.
_HOPELESS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


class Closed(Exception):  # noqa: N818 - no mistake of anybody
    """Ends a thread's work between two files when the run has ended."""


class Desk:
    """The two ends of the way; every image leaves it with an outcome in the ledger."""

    def __init__(self, plan: Plan, ledger: Ledger) -> None:
        self._plan, self._ledger, self._closed = plan, ledger, Event()

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()

    def bring_in(self, job: Job) -> Picture | None:
        """The picture of a job, or None when there is nothing to predict.

        Raises:
            OutputError: nothing can be written for the next image either.
        """
        try:
            known = outputs.complete(job, self._plan)
            if known is None:
                return outputs.read(job)
            self._ledger.add(job, self._done(job, known))
        except (InputError, MissingExtraError, OutputError) as error:
            self._fail(job, error)
        return None

    def take_out(self, job: Job, image: Input, prediction: Prediction | InputError) -> None:
        """Write what the models said.

        Raises:
            OutputError: nothing can be written for the next image either.
            MissingExtraError: a format needs an extra package.
            Closed: the run has ended.
        """
        if isinstance(prediction, InputError):
            self._fail(job, prediction)
            return
        try:
            written = outputs.write(job, image, prediction.results, self._plan, pause=self._pause)
        except OutputError as error:
            self._fail(job, error)
        else:
            self._ledger.add(job, self._done(job, written, prediction.milliseconds))

    def _pause(self) -> None:
        if self._closed.is_set():
            raise Closed

    def _done(self, job: Job, known: Record, milliseconds: float | None = None) -> Outcome:
        """Written if it took the models' time, else skipped."""
        return Outcome(
            input=str(job.source),
            status="skipped" if milliseconds is None else "written",
            outputs=tuple(str(path) for path in outputs.listed(job, known, self._plan)),
            size=(known.input.width, known.input.height),
            milliseconds=milliseconds,
            changes=known.input.changes,
        )

    def _fail(self, job: Job, error: Exception) -> None:
        if isinstance(error, OutputError) and _is_hopeless(error):
            raise error
        self._ledger.add(job, Outcome(input=str(job.source), status="failed", error=str(error)))


def _is_hopeless(error: OutputError) -> bool:
    return isinstance(error.__cause__, OSError) and error.__cause__.errno in _HOPELESS
