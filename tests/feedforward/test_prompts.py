import pytest
import torch
from torch import nn
from torch.nn import functional as F

from monostep.feedforward import prompts

KINDS = {1: prompts.PromptConstant, 2: prompts.PromptGate, 3: prompts.PromptAttention}


def _layer(tokens, domains=None):
    layer = prompts.attention(16, heads=4, tokens=tokens, domains=domains)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.3)
    return layer.requires_grad_(requires_grad=False)


@pytest.mark.parametrize("tokens", [1, 2, 3, 77])
def test_it_is_as_cheap_as_the_prompt_lets_it(tokens):
    assert type(_layer(tokens)) is KINDS.get(tokens, prompts.PromptAttention)
    assert type(_layer(tokens, domains=3)) is prompts.PromptAttention


def test_no_token_is_no_module():
    assert prompts.attention(16, heads=4, tokens=0) is None
    assert prompts.attention(16, heads=4, tokens=0, domains=3) is None


@pytest.mark.parametrize("tokens", [1, 2, 3])
def test_what_is_read_is_each_pixels_own(tokens):
    layer, seen, order = _layer(tokens), torch.randn(1, 6, 16), torch.randperm(6)
    torch.testing.assert_close(layer(seen[:, order]), layer(seen)[:, order])


def test_attention_is_softmax_of_products_over_the_tokens():
    layer, seen = _layer(5), torch.randn(2, 6, 16)
    query = F.linear(seen, layer.query.weight, layer.query.bias).unflatten(2, (4, 4))
    scores = torch.einsum("bshc,htc->bhst", query, layer.key) / 4**0.5
    read = torch.einsum("bhst,htc->bshc", scores.softmax(3), layer.value).flatten(2)
    expected = F.linear(read, layer.outward.weight, layer.outward.bias)
    torch.testing.assert_close(layer(seen), expected)


@pytest.mark.parametrize("tokens", [1, 2, 4])
def test_each_image_reads_the_prompt_of_its_domain(tokens):
    of_all, seen = _layer(tokens, domains=3), torch.randn(4, 6, 16)
    domain = torch.tensor([2, 0, 1, 2])
    together = of_all(seen, domain)
    for index, image in enumerate(seen):
        one = prompts.PromptAttention(16, heads=4, tokens=tokens)
        weights = of_all.state_dict()
        own = {name: weights[name][domain[index]] for name in ("key", "value")}
        one.load_state_dict(weights | own)
        torch.testing.assert_close(together[index], one(image[None])[0].detach())
    assert not torch.allclose(together, of_all(seen, torch.zeros(4, dtype=torch.long)))
