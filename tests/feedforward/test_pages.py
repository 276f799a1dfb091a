import sys
from pathlib import Path

import torch

from monostep.feedforward import pages


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


def test_giving_back_leaves_tensors_alone():
    kept = torch.arange(1 << 16)
    pages.give_back()
    assert torch.equal(kept, torch.arange(1 << 16))


def test_freed_memory_is_given_back():
    if sys.platform != "linux" or pages._malloc_trim() is None:
        return
    pages.give_back()
    blocks = [bytearray(60_000) for _ in range(2000)]  # small enough for the heap
    kept, full = blocks[1::2], _resident()
    del blocks
    pages.give_back()
    assert _resident() < full - 30_000_000 and len(kept) == 1000
