import pytest
import torch

from monostep.checkpoints.old_names import NAMES, modern
from monostep.network.autoencoder_kl import AutoencoderKL
from monostep.network.sizes import TINY_AUTOENCODER

PRESENT = AutoencoderKL(TINY_AUTOENCODER).state_dict()
EXPECTED = {name: tensor.shape for name, tensor in PRESENT.items()}


def old(name: str) -> str:
    for before, after in NAMES.items():
        if ".attentions." in name:
            name = name.replace(f".{after}.", f".{before}.")
    return name


@pytest.mark.parametrize("convolutions", [False, True])
def test_every_old_name_leads_to_the_present_one(convolutions):
    renamed = [name for name in PRESENT if old(name) != name]
    assert len(renamed) == 2 * 4 * 2  # encoder and decoder; q, k, v, out; weight and bias
    for name in renamed:
        stored = PRESENT[name]
        if convolutions and stored.ndim == 2:
            stored = stored[:, :, None, None]
        now, tensor = modern(old(name), stored, EXPECTED)
        assert now == name
        assert torch.equal(tensor, PRESENT[name])


def test_present_and_strange_names_are_left_alone():
    for name, tensor in PRESENT.items():
        assert modern(name, tensor, EXPECTED) == (name, tensor)
    for name in ("query", "query.weight", "mid_block.attentions.0.query.weight", "a.key.weight"):
        assert modern(name, torch.ones(2), {})[0] == name
