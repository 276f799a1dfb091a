import sys
from mmap import mmap

import pytest
import torch

from monostep.inspection import memory

CPU = torch.device("cpu")
MANY = 64 * 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
def test_the_peak_is_seen_after_it_is_gone_and_forgotten_by_the_next_start():
    memory.start(CPU)
    before = memory.peak_bytes(CPU)
    with mmap(-1, MANY) as pages:  # new ones: an allocator would reuse what it has
        pages.write(bytes(MANY))
    with_block = memory.peak_bytes(CPU)
    memory.start(CPU)
    after = memory.peak_bytes(CPU)
    assert with_block - before > 0.9 * MANY
    assert with_block - after > 0.9 * MANY
