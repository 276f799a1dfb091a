from collections import Counter

import pytest
import torch
from numbered import Numbered, config, learned

from monostep.data.samples import Samples
from monostep.errors import InputError, SettingError, TrainingError
from monostep.training import feeding
from monostep.training.order import Pieces, micro_batch, pieces
from monostep.training.world import World

MIXED = ("data=a,b", "weights=9,1")


def _seen(settings, *sources, processes=1, first=0):
    """Number of the image and its seed, by step and process."""
    with learned(*(sources or (Numbered(1000),))):
        data = Pieces(settings, slices=pieces(settings, processes))
    count = settings.accumulate * data.slices
    return [
        [
            [(name, seed) for n in range(step * count + rank, (step + 1) * count, processes)
             for name, seed in zip(data.piece(n).names, data.piece(n).seeds, strict=True)]
            for rank in range(processes)
        ]
        for step in range(first, settings.last)
    ]  # fmt: skip


@pytest.mark.parametrize("accumulate", [1, 3])
def test_images_follow_each_other_without_gap_or_repeat_across_phases(accumulate):
    settings = config(f"accumulate={accumulate}")
    numbers = range(settings.steps * accumulate)
    batches = [micro_batch(settings, number) for number in numbers]
    seen = [batch.position + row for batch in batches for row in range(batch.images)]
    assert seen == list(range(len(seen)))
    assert [batch.first for batch in batches] == [batch.position for batch in batches]


def test_every_epoch_holds_every_image_once_in_an_order_of_its_own():
    settings = config("phases=[[0,2,2,4]]")
    seen = [name for step in _seen(settings, Numbered(8)) for rank in step for name, _ in rank]
    epochs = [seen[start : start + 8] for start in range(0, 40, 8)]
    assert all(sorted(epoch) == [f"n{k}" for k in range(8)] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 5


@pytest.mark.parametrize("accumulate", [4, 1])
def test_processes_share_out_what_one_would_see(accumulate):
    settings = config(f"accumulate={accumulate}", "phases=[[0,2,2,12],[0.5,4,4,12]]", *MIXED)
    sources = Numbered(50, "a"), Numbered(7, "b")
    alone = [Counter(step[0]) for step in _seen(settings, *sources)]
    for processes in (2, 3, 4):
        shared = _seen(settings, *sources, processes=processes)
        for ranks, whole in zip(shared, alone, strict=True):
            assert sum((Counter(rank) for rank in ranks), Counter()) == whole
            assert len({len(rank) for rank in ranks}) == 1
            seeds = [{seed for _, seed in rank} for rank in ranks]
            assert sum(map(len, seeds)) == len(set().union(*seeds))  # no image of two processes


def test_a_run_continues_on_any_number_of_processes():
    settings = config("accumulate=4", *MIXED)
    sources = Numbered(50, "a"), Numbered(7, "b")
    whole = [
        Counter(image for rank in step for image in rank) for step in _seen(settings, *sources)
    ]
    for processes in (1, 2, 4):
        tail = _seen(settings, *sources, processes=processes, first=3)
        assert [Counter(image for rank in step for image in rank) for step in tail] == whole[3:]


def test_sources_come_in_their_shares():
    settings = config("accumulate=10", "phases=[[0,2,2,3]]", *MIXED)
    for step in _seen(settings, Numbered(500, "a"), Numbered(70, "b")):
        assert Counter(name[0] for name, _ in step[0]) == {"a": 27, "b": 3}


def test_the_order_depends_on_the_seed():
    names = [[n for s in _seen(config(f"seed={k}")) for n, _ in s[0]] for k in (0, 0, 1)]
    assert names[0] == names[1] != names[2]


def test_flips_are_functions_of_the_seed_alone_and_come_half_the_time():
    with learned(Numbered(4000)):
        data = Pieces(config("steps=200", "phases=[[0,2,2,4]]"))
        still = Pieces(config("flip=false"))
    batches = [data.piece(n) for n in range(200)]
    flipped = torch.cat([b.samples.image[:, 0, 0, 0] % 1 == 0 for b in batches])
    again = torch.cat([data.piece(n).samples.image[:, 0, 0, 0] % 1 == 0 for n in range(200)])
    assert torch.equal(flipped, again)
    assert 340 < flipped.sum() < 460  # 4 deviations of 800 tosses are 57
    assert not any((still.piece(n).samples.image[:, 0, 0, 0] % 1 == 0).any() for n in range(9))


@pytest.mark.parametrize("first", range(0, 10, 3))
def test_workers_and_resuming_change_nothing(first):
    settings = config("accumulate=2")
    world = World(device=torch.device("cpu"))
    with learned(Numbered(1000)):
        alone = list(feeding.steps(Pieces(settings), world, first=0))[first:]
        helped = list(
            feeding.steps(Pieces(config("accumulate=2", "workers=2")), world, first=first)
        )
    assert len(alone) == len(helped)
    for ours, theirs in zip(alone, helped, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            assert (one.step, one.names, one.seeds) == (other.step, other.names, other.seeds)
            assert torch.equal(one.samples.image, other.samples.image)


def test_early_phases_see_the_same_images_reduced():
    with learned(Numbered(1000)):
        data = Pieces(config())
    assert data.piece(0).samples.image.shape == (4, 3, 2, 2)
    assert data.piece(9).samples.image.shape == (2, 3, 4, 4)
    assert (data.piece(9).step, len(data)) == (9, 10)


def test_a_step_that_cannot_be_shared_out_evenly_is_refused():
    assert [pieces(config("accumulate=4"), n) for n in (1, 2, 4)] == [1, 1, 1]
    assert pieces(config(), 2) == 2
    with pytest.raises(SettingError, match="multiple of 3"):
        pieces(config(), 3)
    with pytest.raises(SettingError, match="pool=batch"):
        pieces(config("pool=batch"), 2)
    assert pieces(config("pool=batch", "accumulate=2"), 2) == 1


def test_what_cannot_be_read_is_an_item():
    with learned(Numbered(4, unreadable=3)):
        item = Pieces(config("phases=[[0,2,2,4]]"))[0]
    assert isinstance(item, InputError)
    assert str(item) == "n3: cannot be read"


@pytest.mark.parametrize("what", ["image", "depth", "normals"])
def test_a_value_that_is_not_finite_where_it_counts_is_named(what):
    class Broken(Numbered):
        def fetch(self, indices, size) -> Samples:
            found = super().fetch(indices, size)
            tensor = getattr(found, "depth_m" if what == "depth" else what)
            tensor[indices.index(2), ..., 0, 1] = float("nan")
            return found

    with learned(Broken(4)), pytest.raises(TrainingError, match=f"n2: {what} not finite at 1 pix"):
        Pieces(config("phases=[[0,2,2,4]]")).piece(0)
