"""The predictor over many files, as a stream: memory does not grow with their number.

    jobs -> read (threads) -> pictures of one size together -> models (here) -> write (threads)

Each input's outcome is reported in the jobs' order as soon as those before it are known.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from monostep.errors import OutputError
from monostep.predictor import Predictor
from monostep.runner.batch import Models
from monostep.runner.desk import Desk
from monostep.runner.grouping import Window, grouped
from monostep.runner.inputs import Job
from monostep.runner.ledger import Ledger, Outcome, Summary
from monostep.runner.outputs import Picture
from monostep.runner.overlap import Behind, ahead, threads
from monostep.runner.plan import plan
from monostep.runner.settings import Settings

# A network on the CPU is slow and needs the cores; one on a GPU would wait for a single reader.
_READERS = {"cuda": 4}  # threads by device; else 1
_WRITERS = {"cuda": 4}  # likewise
_BATCHES_WAITED = 16  # how long a picture waits for others of its size, in arrivals / batch
_WAITING_PIXELS = 16_000_000  # of results before the writer: 256 MB for depth and normals


def run(
    jobs: Sequence[Job],
    predictors: Mapping[str, Predictor],
    settings: Settings,
    report: Callable[[Outcome], None],
    say: Callable[[str], None] = lambda _: None,
) -> Summary:
    """Predict and write every job, report each outcome in the jobs' order, and count them.

    Args:
        jobs: the images, each once.
        predictors: by task, all on one device.
        settings: where results go and what they are.
        report: called with each outcome, from any thread but one at a time.
        say: called with what happens to the run itself, a line each.

    Raises:
        SettingError: something was asked that a model does not have.
        OutputError: the output folder is not writable or the disk is full.
        MissingExtraError: an output format or an ensemble needs an extra package.
    """
    what = plan(predictors, settings)
    models, ledger = Models(predictors, what, say), Ledger(jobs, report)
    window = Window(arrivals=_BATCHES_WAITED * models.pictures_at_once())
    readers = _READERS.get(models.device.type, 1)
    with (
        threads("read", readers) as reading,
        threads("write", _WRITERS.get(models.device.type, 1)) as writing,
        Desk(what, ledger) as desk,  # closes first, so that the threads have little left to do
    ):
        behind = Behind(writing, most=_WAITING_PIXELS)
        arrivals = ahead(reading, desk.bring_in, jobs, most=readers + 1)
        for pictures in grouped(
            arrivals, key=models.padded, most=models.pictures_at_once, window=window
        ):
            _predict(pictures, models, desk, behind)
        behind.finish()
    return ledger.summary()


def _predict(pictures: Sequence[Picture], models: Models, desk: Desk, behind: Behind) -> None:
    """Through the models and on; a function, so that nothing of it is held during the next."""
    for picture, prediction in zip(pictures, models.predict(pictures), strict=True):
        # Without the picture itself: its pixels need not wait for the disk.
        work = partial(desk.take_out, picture.job, picture.input, prediction)
        behind.put(work, weight=picture.pixels)


def check_folder(output: Path) -> None:
    """Make the output folder before any work (raises OutputError when that cannot be)."""
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{output}: cannot be made a folder ({error.strerror}); choose another -o"
        ) from error
