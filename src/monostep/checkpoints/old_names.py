"""Attention weights of autoencoders saved before 2023, under their present names.

They were called query, key, value and proj_attn, and some were kept as 1x1 convolutions.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

NAMES = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


def modern(name: str, tensor: Tensor, expected: Mapping[str, torch.Size]) -> tuple[str, Tensor]:
    """Name and tensor as the network expects them; unchanged if the name is not an old one."""
    owner, _, leaf = name.rpartition(".")
    block, _, old = owner.rpartition(".")
    if ".attentions." not in f".{block}." or old not in NAMES:
        return name, tensor
    renamed = f"{block}.{NAMES[old]}.{leaf}"
    if renamed not in expected:
        return name, tensor
    as_convolution = tensor.ndim == 4 and tensor.shape[2:] == (1, 1)
    return renamed, tensor[:, :, 0, 0] if as_convolution else tensor
