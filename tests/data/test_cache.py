from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import torch

from monostep.data.cache import SceneCache
from monostep.data.procedural import render

SIZE = (8, 12)


class Counting:
    def __init__(self):
        self.rendered = []

    def __call__(self, seed, indices, size):
        self.rendered.extend(indices)
        return render(seed, indices, size)


def _equal(one, two):
    names = [name for name, tensor in vars(one).items() if tensor is not None]
    return all(torch.equal(getattr(one, name), getattr(two, name)) for name in names)


def test_cached_scenes_equal_rendered_ones_and_are_rendered_once(tmp_path):
    renderer = Counting()
    cache = SceneCache(1, 10, folder=str(tmp_path), renderer=renderer)
    direct = render(1, [3, 1, 4, 1], SIZE)
    assert _equal(cache.fetch([3, 1, 4, 1], SIZE), direct)
    again = SceneCache(1, 10, folder=str(tmp_path), renderer=renderer)
    assert _equal(again.fetch([3, 1, 4, 1], SIZE), direct)
    assert sorted(renderer.rendered) == [1, 3, 4]


def test_seeds_and_sizes_do_not_mix(tmp_path):
    one = SceneCache(1, 10, folder=str(tmp_path)).fetch([0], SIZE)
    two = SceneCache(2, 10, folder=str(tmp_path)).fetch([0], SIZE)
    assert not torch.equal(one.image, two.image)
    assert SceneCache(1, 10, folder=str(tmp_path)).fetch([0], (4, 4)).image.shape[2:] == (4, 4)


def test_without_a_folder_nothing_is_written(tmp_path):
    SceneCache(1, 10, folder=None).fetch([0], SIZE)
    assert list(tmp_path.iterdir()) == []


def test_many_may_open_it_for_the_first_time_at_once(tmp_path):
    """Each reader is a process or a rank of its own in a run; none may undo what another did."""
    readers, rounds = 4, 20
    together = Barrier(readers)
    once = render(1, range(readers), SIZE)
    rendered = []

    def recall(_seed, indices, _size):
        rendered.extend(indices)
        known = {name: each for name, each in vars(once).items() if each is not None}
        return replace(once, **{name: each[list(indices)] for name, each in known.items()})

    def first_use(folder, reader):
        cache = SceneCache(1, 10, folder=str(folder), renderer=recall)
        together.wait()
        return cache.fetch([reader], SIZE)

    with ThreadPoolExecutor(readers) as pool:
        for number in range(rounds):
            folder = tmp_path / f"{number}"
            found = list(pool.map(first_use, [folder] * readers, range(readers)))
            for reader, samples in enumerate(found):
                assert torch.equal(samples.image[0], once.image[reader])
            SceneCache(1, 10, folder=str(folder), renderer=recall).fetch(range(readers), SIZE)
            assert len(list(folder.iterdir())) == 1
    assert len(rendered) == rounds * readers
