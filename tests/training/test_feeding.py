import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from constant_task import ALONE
from numbered import Numbered, config, learned

from monostep.errors import InputError, TrainingError
from monostep.training import feeding
from monostep.training.order import Pieces


def _steps(source, *settings, first=0):
    with learned(source):
        return feeding.steps(Pieces(config(*settings)), ALONE, first=first)


def test_a_step_has_all_its_pieces():
    steps = list(_steps(Numbered(999), "accumulate=3"))
    assert [[piece.step for piece in step] for step in steps] == [[n] * 3 for n in range(10)]


def test_it_begins_at_any_step_and_ends_with_the_run():
    assert [step[0].step for step in _steps(Numbered(999), "stop=8", first=6)] == [6, 7]
    assert list(_steps(Numbered(999), "stop=8", first=8)) == []


@pytest.mark.parametrize("workers", [0, 1])
def test_an_image_that_cannot_be_read_ends_in_its_own_words(workers):
    # sources see one process's piece at a time, so the first steps are still given
    with pytest.raises(InputError, match=r"^n11: cannot be read$"):
        list(_steps(Numbered(14, unreadable=11), f"workers={workers}"))


def test_a_process_ends_though_its_reading_was_never_finished(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from test_feeding import Numbered, _steps\n"
        "reading = _steps(Numbered(999), 'workers=1')\n"
        "print(next(reading)[0].step)\n"
    )
    paths = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    found = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (found.returncode, found.stdout) == (0, "0\n"), found.stderr


@pytest.mark.slow
def test_a_worker_that_dies_is_one_line():
    class Deadly(Numbered):
        def fetch(self, indices, size):
            if os.getpid() != main:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().fetch(indices, size)

    main = os.getpid()
    with pytest.raises(TrainingError, match=r"worker that reads data died.*lower workers$") as told:
        list(_steps(Deadly(9), "workers=1"))
    assert "\n" not in str(told.value)


def test_a_fault_of_the_program_stays_one():
    class Faulty(Numbered):
        def fetch(self, indices, size):  # noqa: ARG002
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match=r"^a bug$"):
        list(_steps(Faulty(9)))
