"""The one way from a source to a model: an embedded name, an alias, a folder or a Hub id.

find    reads only small JSON files: what the checkpoint is, what it predicts, how to run it
load    downloads what is missing, reads the weights, embeds the prompt
fold    the same, as the plain network that predicts
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from monostep.checkpoints import (
    asking,
    conditioning,
    dimensions,
    embedded,
    families,
    folded,
    folder,
    hub_errors,
    layout,
    networks,
    places,
    prompt,
    weight_files,
)
from monostep.checkpoints.assembly import assemble
from monostep.checkpoints.card import Card
from monostep.checkpoints.found import Checkpoint
from monostep.checkpoints.places import Place
from monostep.diffusion.class_numbers import OF_BOTH, OF_GEOMETRY
from monostep.diffusion.latent_diffusion import Autoencoder, LatentDiffusion
from monostep.diffusion.sampler import Last
from monostep.errors import CheckpointError, SettingError
from monostep.feedforward import fold as folding
from monostep.feedforward import fold_unet
from monostep.feedforward.network import FeedForward

EITHER = (layout.CARD, layout.INDEX)
SEEN = (layout.IMAGE_ENCODER_CONFIG, layout.PREPROCESSOR_CONFIG)


def find(  # noqa: PLR0913 - what the published contract lets a user say of a source
    source: str | Path,
    *,
    task: str | None = None,
    frame: str | None = None,
    revision: str | None = None,
    variant: str | None = None,
    offline: bool | None = None,
    prompt_tokens: int | None = None,
    attention: str | None = None,
    unet: str | None = None,
) -> Checkpoint:
    """What a source is, from its small files alone.

    Args:
        source: embedded model, alias of the registry, file of `monostep fold`, folder in
            diffusers' layout, or Hub id "owner/name".
        task: "depth" or "normals", for a checkpoint that cannot say it; of a joint model, either.
        frame: the network's own frame of normals, likewise.
        revision: branch, tag or commit on the Hub; None for the registry's, or the newest.
        variant: of the weight files, as "fp16"; None for the plain ones, or the only one there is.
        offline: make no request at all; None for what HF_HUB_OFFLINE says.
        prompt_tokens: 2 or 77; None for what the folder carries, or 2.
        attention: of a joint model: "joint", or "separate" to let neither map see the other.
        unet: folder of the UNet, of several: "unet", or "unet_v2" for GeoWizard's second version.

    Raises:
        CheckpointError: nothing there, incomplete, unsupported, or silent on what it predicts.
        SettingError: a setting that contradicts the checkpoint or makes no sense.
    """
    prompt.check_tokens(prompt_tokens)
    if str(source).endswith(folded.ENDING):
        fixed = dict(revision=revision, variant=variant, prompt_tokens=prompt_tokens, unet=unet)
        found = _file(Path(source), fixed, task=task, frame=frame)
        return dataclasses.replace(found, card=asking.attending(found.card, attention))
    place = places.locate(source, revision=revision, offline=offline, unet=unet)
    place.fetch([name for name in EITHER if name in place.names])
    place.fetch([layout.SCHEDULER_CONFIG, place.unet_config, layout.VAE_CONFIG])
    card = asking.attending(_card(place, task=task, frame=frame), attention)
    found = Checkpoint(
        folder=place.folder,
        card=card,
        names=place.names,
        unet=_weights(place, place.unet, variant),
        vae=_weights(place, "vae", variant),
        image_encoder=_image_encoder(place, card, variant),
        variant=variant,
        prompt_tokens=prompt_tokens,
        snapshot=place.snapshot,
        offline=offline,
        is_embedded=place.folder.parent == embedded.ROOT,
    )
    _check_prompt_tokens(found)
    own = place.unet == layout.UNET  # the card's hash is of this one
    if place.snapshot is None and layout.CARD in place.names and own:
        return found
    card = dataclasses.replace(
        card,
        source=places.identity(place, found.weights),
        tensor_hash=card.tensor_hash if own else None,
    )
    return dataclasses.replace(found, card=card)


def load(checkpoint: Checkpoint, *, copy: bool = True) -> LatentDiffusion:
    """The model of a found checkpoint, in float32 and ready to predict; of GeoWizard's, joint.

    Without `copy` its weights are as stored and not read yet: only to be folded.

    Raises:
        CheckpointError: weights that cannot be had, are broken or do not belong together.
        MissingExtraError: the prompt must be computed, and transformers is not installed.
    """
    if checkpoint.file is not None:
        raise CheckpointError(
            f"{checkpoint.file}: the feed-forward form, which only predicts; give the checkpoint "
            "that it was folded from"
        )
    place = checkpoint.folder
    if checkpoint.is_embedded:
        folder.check_hash(place, checkpoint.card)
    # First: a text encoder is gone before the networks come.
    context = conditioning.read(checkpoint, copy=copy)
    checkpoint.fetch(checkpoint.weights)
    joint = checkpoint.card.attention == "joint"
    return assemble(
        place,
        unet=networks.unet(place, checkpoint.unet, joint=joint, copy=copy),
        autoencoder=networks.autoencoder(place, checkpoint.vae, copy=copy),
        schedule=folder.load_schedule(place),
        context=context,
    )


def fold(
    checkpoint: Checkpoint,
    *,
    dtype: torch.dtype = torch.float32,
    times: Sequence[int] | None = None,
    only: Last | None = None,
    codec: Autoencoder | None = None,
    leave: int = 0,
) -> FeedForward:
    """The feed-forward form of a found checkpoint, with little more memory than it has itself.

    Args:
        checkpoint: a checkpoint, or a file that holds its feed-forward form already.
        dtype: of the weights.
        times: timesteps to fold in; None for the last one, and whatever is asked later.
        only: fold the one step from zeros that ends at this latent.
        codec: in place of the checkpoint's autoencoder; used up.
        leave: so many bytes of a folded file's weights in it, and read them at every use.

    Raises:
        CheckpointError: weights that cannot be had, are broken or do not belong together.
        MissingExtraError: the prompt must be computed, and transformers is not installed.
    """
    if checkpoint.file is not None:
        attention = checkpoint.card.attention
        return folded.load(checkpoint.file, dtype=dtype, leave=leave, attention=attention)
    model = load(checkpoint, copy=False)
    model.vae = model.vae if codec is None else codec

    def clock(times: Sequence[int]) -> Tensor:
        unet = networks.unet(checkpoint.folder, checkpoint.unet, copy=False)
        return fold_unet.time_table(unet, times)

    return folding.fold(
        model,
        channels=1 if checkpoint.card.task == "depth" else 3,
        times=(model.schedule.last,) if times is None else times,
        only=only,
        clock=clock if times is None else None,
        dtype=dtype,
    )


def _file(
    file: Path, fixed: Mapping[str, object], *, task: str | None, frame: str | None
) -> Checkpoint:
    """A file of the feed-forward form; SettingError for what was decided when it was made."""
    card = folded.read_card(file)
    asking.check_asked(card, task=task, frame=frame)
    for name, value in fixed.items():
        if value is not None:
            raise SettingError(
                f"{name} {value!r}: {file} was folded and has this in its weights; leave it out, "
                "or fold the checkpoint again"
            )
    return Checkpoint(
        folder=file.parent, card=card, names=(file.name,), unet=(file.name,), vae=(), file=file
    )


def _card(place: Place, *, task: str | None, frame: str | None) -> Card:
    """The folder's own card, or the one its family has."""
    if layout.CARD in place.names:
        card = folder.read_card(place.folder)
        asking.check_asked(card, task=task, frame=frame)
        return card
    if layout.INDEX not in place.names:
        raise CheckpointError(
            f"{place.folder}: has neither {layout.CARD} nor {layout.INDEX}, so it is no model "
            "folder; give the folder that holds them"
        )
    index = layout.read(place.folder / layout.INDEX)
    families.check_pipeline(place.name, index)
    said = families.Description(
        name=place.name,
        index=index,
        scheduler=layout.read(place.folder / layout.SCHEDULER_CONFIG),
        unet=dimensions.unet_from_json(layout.read(place.folder / place.unet_config)),
        autoencoder=dimensions.autoencoder_from_json(layout.read(place.folder / layout.VAE_CONFIG)),
        published=place.published,
    )
    return families.card(said, task=task, frame=frame)


def _image_encoder(place: Place, card: Card, variant: str | None) -> tuple[str, ...]:
    """Files of weights of what looks at the picture; none where the UNet reads words."""
    if card.task != "geometry":
        return ()
    config = dimensions.unet_from_json(layout.read(place.folder / place.unet_config))
    if config.classes != OF_BOTH:
        _check_words(place)
        return ()
    missing = next((name for name in SEEN if name not in place.names), None)
    if missing and not (place.snapshot and place.snapshot.offline):
        raise CheckpointError(
            f"{place.who}: {missing} is missing; the checkpoint is incomplete, copy or download it "
            "again"
        )
    place.fetch(SEEN)
    return _weights(place, layout.IMAGE_ENCODER, variant, or_plain=True)


def _check_words(place: Place) -> None:
    """Raise CheckpointError for a UNet that reads words, beside an image encoder and no words."""
    looks = any(name.startswith(f"{layout.IMAGE_ENCODER}/") for name in place.names)
    words = layout.PROMPT in place.names or prompt.CONFIG in place.names
    if looks and not words and place.unet == layout.UNET:
        raise CheckpointError(
            f"{place.who}: {place.unet_config} describes a UNet of {OF_GEOMETRY} class numbers, "
            f"which reads words, beside an image encoder, whose UNet has {OF_BOTH}; use the "
            "config.json that came with the weights"
        )


def _check_prompt_tokens(found: Checkpoint) -> None:
    if found.prompt_tokens is not None and found.card.task == "geometry":
        raise SettingError(
            f"prompt tokens {found.prompt_tokens}: {found.card.name} reads no empty prompt; leave "
            "them out"
        )


def _weights(
    place: Place, part: str, variant: str | None, *, or_plain: bool = False
) -> tuple[str, ...]:
    choose = weight_files.nearest if or_plain else weight_files.choose
    try:
        return choose(place.names, part, variant)
    except CheckpointError as error:
        if place.snapshot is not None and place.snapshot.offline:
            missing = f"what to read the {part} from ({error})"
            raise hub_errors.not_cached(
                place.snapshot.id, place.snapshot.commit, missing
            ) from error
        raise CheckpointError(f"{place.who}: {error}") from error
