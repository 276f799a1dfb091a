import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monostep.runner.inputs import Job
from monostep.runner.ledger import Ledger, Outcome, Summary

JOBS = [Job(source=Path(f"{n}.png"), name=f"{n}.png", stem=str(n)) for n in range(200)]


def outcome(job, status="written"):
    return Outcome(input=job.name, status=status)


def test_any_order_from_any_thread_is_told_in_the_jobs_order():
    told = []
    ledger = Ledger(JOBS, lambda known: told.append(known.input))
    mixed = random.Random(0).sample(JOBS, len(JOBS))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda job: ledger.add(job, outcome(job)), mixed))
    assert told == [job.name for job in JOBS]
    assert ledger.summary() == Summary(written=200)


def test_nothing_waits_longer_than_for_those_before_it():
    told = []
    ledger = Ledger(JOBS[:3], lambda known: told.append(known.input))
    ledger.add(JOBS[1], outcome(JOBS[1], "failed"))
    assert told == []
    ledger.add(JOBS[0], outcome(JOBS[0], "skipped"))
    assert told == ["0.png", "1.png"]
    assert ledger.summary() == Summary(skipped=1, failed=1)


def test_a_reader_that_has_gone_is_an_error_of_whoever_adds():
    def gone(_):
        raise BrokenPipeError

    ledger = Ledger(JOBS, gone)
    with pytest.raises(BrokenPipeError):
        ledger.add(JOBS[0], outcome(JOBS[0]))
