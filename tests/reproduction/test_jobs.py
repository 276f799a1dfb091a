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


def test_what_measures_time_comes_alone_behind_the_first_seed(tmp_path):
    first = jobs.jobs(tmp_path, BUDGETS["cpu"], [0])
    assert [job.name for job in first if job.alone] == [first[-1].name]
    assert jobs.jobs(tmp_path, BUDGETS["cpu"])[: len(first)] == first


def test_the_jobs_of_all_seeds_are_those_of_each(tmp_path):
    budget = BUDGETS["cpu"]
    each = [job for seed in budget.seeds for job in jobs.jobs(tmp_path, budget, [seed])]
    assert each == jobs.jobs(tmp_path, budget)


def _touch(found, *, but=()):
    for path in (
        path for job in found if not job.trains and job.name not in but for path in job.done
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_results_without_models_are_gone_on_from(tmp_path):
    found = jobs.jobs(tmp_path, BUDGETS["cpu"], [1])
    assert jobs.missing(found) == found
    _touch(found, but=("score lcm-1",))
    lost = [job.name for job in jobs.missing(found)]
    assert lost == ["autoencoder-1", "base-1", "depth-1", "lcm-1", "score lcm-1"]
    _touch(found)
    assert jobs.missing(found) == []


def test_an_embedded_model_is_not_trained(tmp_path):
    found = jobs.jobs(tmp_path, BUDGETS["quick"])
    assert [job.name for job in found] == ["score depth-0", "path depth-0"]
    assert all(job.needs == () for job in found)
