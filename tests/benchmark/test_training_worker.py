import math

import numpy as np
import pytest
import torch

from monostep.benchmark import machine, random_weights
from monostep.benchmark.cases import Case
from monostep.benchmark.fleet import Process, SubjectError
from monostep.benchmark.program import Weights
from monostep.benchmark.subjects import OURS, Subject
from monostep.benchmark.training_program import TrainingAssignment
from monostep.benchmark.training_work import work

GIB = 2**30


def _process(weights, case, *, threads=1):
    return Process(
        TrainingAssignment(
            subject=Subject(kind=OURS, dtype="fp32"),
            weights=weights,
            device="cpu",
            threads=threads,
            case=case,
            recompute="all",
        )
    )


@pytest.mark.slow
def test_a_process_loads_begins_and_steps(weights):
    case = Case(size=(16, 24))
    process = _process(weights, case)
    try:
        assert process.ask("load").dtype == "fp32"
        begun = process.ask("begin", work(case))
        first, second = process.ask("step"), process.ask("step")
        assert second.loss < first.loss and first.seconds > 0
        assert 0 < first.processor_seconds < 1.1 * first.seconds, "of one thread"
        if begun.before_bytes is not None:  # a system that does not tell has none
            assert second.peak_bytes >= first.peak_bytes > begun.before_bytes
            # gradients and moments came, and stayed
            assert second.peak_bytes - begun.before_bytes > begun.kept_bytes / 2
        with pytest.raises(SubjectError, match="AttributeError"):
            process.ask("predict")
    finally:
        process.dismiss()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_an_optimiser_step_of_stable_diffusion_2_fits_into_22_gib(tmp_path):
    """Float32 AdamW at 480x640: weights, gradients and moments alone are 13.2 GiB."""
    free = machine.available_bytes(torch.device("cpu"))
    if free is None or free < 17 * GIB:
        pytest.skip("less than 17 GiB of memory are free")
    folder = random_weights.write(tmp_path / "sd2", size="sd2", task="depth")
    weights = Weights(source=str(folder), prompt=np.zeros((0, 0), np.float32))
    case = Case(size=(480, 640))
    process = _process(weights, case, threads=torch.get_num_threads())
    try:
        process.ask("load")
        begun = process.ask("begin", work(case))
        step = process.ask("step")
    finally:
        process.dismiss()
    assert math.isfinite(step.loss) and step.norm > 0
    assert begun.kept_bytes < step.peak_bytes < 22 * GIB
    assert step.peak_bytes < begun.kept_bytes + 2 * GIB, "what blocks compute twice is not kept"
