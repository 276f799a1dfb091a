"""How many bytes tensors hold at once: the same number on every machine and in every run."""

import weakref

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveBytes(TorchDispatchMode):
    """Inside the block, `now` and `peak` count the memory of tensors made in it."""

    def __init__(self):
        super().__init__()
        self.now, self.peak = 0, 0
        self._alive = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        given = {storage._cdata for storage in _storages((args, kwargs))}
        for storage in _storages(result):
            key = storage._cdata
            if key not in given and key not in self._alive:
                self._alive.add(key)
                self.now += storage.nbytes()
                weakref.finalize(storage, self._forget, key, storage.nbytes())
        self.peak = max(self.peak, self.now)
        return result

    def _forget(self, key, size):
        self._alive.discard(key)
        self.now -= size


def _storages(tree):
    return [leaf.untyped_storage() for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def peak(compute):
    """The most bytes that lived at once while `compute()` ran."""
    with torch.random.fork_rng(devices=[]), LiveBytes() as live:
        compute()
    return live.peak
