import pytest
import torch
from torch.utils.data import DataLoader

from monostep.data.procedural import ProceduralScenes, render


def test_items_and_batches_are_those_of_render():
    scenes = ProceduralScenes(3, 5, (16, 24))
    assert len(scenes) == 5
    assert torch.equal(scenes[2].image, render(3, [2], (16, 24)).image)
    assert torch.equal(scenes.__getitems__([4, 0]).image, render(3, [4, 0], (16, 24)).image)


def test_a_loader_fetches_whole_batches():
    loader = DataLoader(ProceduralScenes(3, 5, (16, 24)), batch_size=2, collate_fn=lambda s: s)
    assert [len(batch) for batch in loader] == [2, 2, 1]


@pytest.mark.parametrize("index", [-1, 5])
def test_samples_outside_the_set_do_not_exist(index):
    with pytest.raises(IndexError, match="numbered 0 to 4"):
        ProceduralScenes(3, 5, (16, 24))[index]
