import pickle
from dataclasses import asdict
from pathlib import Path

import pytest

from monostep.data.prepare import hypersim_camera, hypersim_frames, vkitti_frames
from monostep.data.prepare.hypersim import HypersimJob
from monostep.data.prepare.job import Facts, Job
from monostep.data.prepare.vkitti import VkittiJob

JOBS = [
    HypersimJob(
        frame=hypersim_frames.Frame(scene="ai_001_001", camera="cam_00", number=4, split="train"),
        camera=hypersim_camera.constant(),
        normals="hdf5",
        root=Path("/official"),
        output=Path("/out"),
    ),
    VkittiJob(
        frame=vkitti_frames.Frame(scene="Scene01", condition="fog", camera=1, number=9),
        image=Path("/official/a.jpg"),
        depth=Path("/official/a.png"),
        normals=None,
        split="train",
    ),
]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: type(job).__name__)
def test_jobs_travel_to_processes(job):
    assert isinstance(job, Job)
    there = pickle.loads(pickle.dumps(job))
    assert (there.name, there.row) == (job.name, job.row)


def test_facts_are_plain_numbers():
    facts = Facts(invalid=0.5, least_m=1.0, most_m=2.0, darkest=0, brightest=9)
    assert Facts(**asdict(facts)) == facts
