import pytest

from monostep.reproduction import jobs
from monostep.reproduction.budget import BUDGETS


@pytest.mark.parametrize("budget", BUDGETS.values(), ids=BUDGETS)
def test_every_job_stands_behind_those_that_it_needs_and_leaves_files_of_its_own(tmp_path, budget):
    seen: set[str] = set()
    files: list = []
    for job in jobs.jobs(tmp_path, budget):
        assert set(job.needs) <= seen, job.name
        assert job.done
        assert not job.is_done
        seen.add(job.name)
        files += job.done
    assert len(set(files)) == len(files)


def test_a_job_is_done_when_all_its_files_are_there(tmp_path):
    job = next(job for job in jobs.jobs(tmp_path, BUDGETS["cpu"]) if job.name == "score depth-0")
    for path in job.done:
        assert not job.is_done
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert job.is_done


def test_what_measures_time_comes_last_and_alone(tmp_path):
    found = jobs.jobs(tmp_path, BUDGETS["cpu"])
    assert [job.name for job in found if job.alone] == [found[-1].name]
