"""monostep as its users load it, and the unfolded model in its place."""

import copy
import dataclasses

import torch
from jaxtyping import Float
from torch import Tensor

import monostep
from monostep.benchmark.cases import Case
from monostep.benchmark.program import Map, Pictures, Program, Weights, settings, values
from monostep.benchmark.stopwatch import Part
from monostep.checkpoints import opening
from monostep.device import DTYPES
from monostep.diffusion.joint_diffusion import JointDiffusion
from monostep.errors import SettingError
from monostep.feedforward.joint import JointFeedForward
from monostep.geometry.depth import Depth
from monostep.predictor import Predictor
from monostep.results import Result, map_of


def load(weights: Weights, dtype: str, device: torch.device) -> Program:
    """What `monostep.load` gives."""
    predictor = monostep.load(
        weights.source, task=weights.task, frame=weights.frame, device=str(device), dtype=dtype
    )
    return program(predictor)


def load_unfolded(weights: Weights, dtype: str, device: torch.device) -> Program:
    """The same checkpoint as the network that is trained."""
    found = weights.find()
    network = opening.load(found)
    return program(Predictor(network, found.card, device=device, dtype=DTYPES[dtype]))


def program(predictor: Predictor) -> Program:
    """A predictor with its stages."""
    stages = [("encode", "encode"), ("unet", "output"), ("decode", "decode")]
    if isinstance(predictor.network, JointDiffusion | JointFeedForward):
        stages.append(("encode", "context"))  # which looks at the picture, too
    parts = [Part(stage=stage, owner=predictor.network, method=method) for stage, method in stages]
    comparable, last = as_diffusers_returns_it(predictor), _last(predictor)

    def predict(pictures: Pictures, case: Case) -> list[Result]:
        how = settings(predictor.card, case)
        return predictor.predict(list(pictures), how, at_once=len(pictures))

    def compare(pictures: Pictures, case: Case) -> Map:
        how = settings(comparable.card, case, last=last)
        (result,) = comparable.predict([pictures[0]], how)
        return values(torch.cat([_map(result, kind, predictor) for kind in predictor.card.maps]))

    (dtype,) = [name for name, kind in DTYPES.items() if kind == predictor.dtype]
    return Program(
        dtype=dtype,
        predict=predict,
        compare=compare,
        timed=parts,
        compilable=parts,
        patch=predictor.network.multiple,
        weight_bytes=predictor.weight_bytes,
    )


def as_diffusers_returns_it(predictor: Predictor) -> Predictor:
    """The same network under a card with which normals are clipped as Marigold's are."""
    comparable = copy.copy(predictor)
    card = predictor.card
    if card.family == "end-to-end":
        comparable.card = dataclasses.replace(card, family="diffusion")
    return comparable


def _map(result: Result, kind: str, predictor: Predictor) -> Float[Tensor, "channel height width"]:
    """Depth, or normals in the network's own frame."""
    one = map_of(result, kind)
    return one.tensor[None] if isinstance(one, Depth) else one.to(str(predictor.card.frame)).tensor


def _last(predictor: Predictor) -> str | None:
    """What the last step returns in comparisons; a file folded for another end has only that."""
    try:
        predictor.inference(last="previous")
    except SettingError:
        return None
    return "previous"
