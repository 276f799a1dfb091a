"""Twenty SIGKILLs at random moments, of reading, stepping, validating and saving alike."""

import random
import time

import killing
import micro_models
import pytest
from killing import same_bits

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
KILLS = 20
OFTEN = ("--set", "steps=120", "--set", "checkpoint_every=1", "--set", "validate_every=15")


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_bits(tmp_path, workers):
    start = micro_models.write(tmp_path / "start")
    options = (*OFTEN, "--set", f"workers={workers}")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert killing.finish(whole, start, *options) == 0, killing.said(whole).read_text()
    chance = random.Random(workers)
    landed = []
    for _ in range(KILLS):
        resume = ("--resume",) if (broken / "config.json").exists() else ()
        wanted = killing.newest(broken) + chance.choice((1, 2))
        process = killing.begin(broken, start, *options, *resume)
        killing.wait(process, broken, lambda wanted=wanted: killing.newest(broken) >= wanted)
        time.sleep(chance.uniform(0, 0.2))  # reading, stepping, validating or saving
        killing.signal_all(process)
        process.wait()
        landed.append(killing.newest(broken))
    assert killing.finish(broken, start, *options, "--resume") == 0, killing.said(
        broken
    ).read_text()
    same_bits(broken, whole)
    assert len(set(landed)) == KILLS
    assert landed[-1] < 120
    left = {path.suffix for path in (broken / "states").iterdir()}
    assert left == {".safetensors"}  # nothing half-written stays
