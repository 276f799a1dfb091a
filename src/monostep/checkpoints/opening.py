"""The one way from a source to a model: an embedded name, an alias, a folder or a Hub id.

find    reads only small JSON files: what the checkpoint is, what it predicts, how to run it
load    downloads what is missing, reads the weights, embeds the prompt
fold    the same, as the plain network that predicts
"""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from monostep.checkpoints import (
    dimensions,
    embedded,
    families,
    folded,
    folder,
    hub,
    hub_errors,
    layout,
    networks,
    places,
    prompt,
    weight_files,
)
from monostep.checkpoints.card import Card
from monostep.checkpoints.places import Place
from monostep.diffusion.latent_diffusion import Autoencoder, LatentDiffusion
from monostep.diffusion.sampler import Last
from monostep.errors import CheckpointError, SettingError
from monostep.feedforward import fold as folding
from monostep.feedforward import fold_unet
from monostep.feedforward.network import FeedForward

EITHER = (layout.CARD, layout.INDEX)
CONFIGS = (layout.SCHEDULER_CONFIG, layout.UNET_CONFIG, layout.VAE_CONFIG)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A model that was found, not yet read."""

    folder: Path
    card: Card
    names: tuple[str, ...]  # its files, relative to the folder, there already or not
    unet: tuple[str, ...]  # those with the UNet's weights
    vae: tuple[str, ...]
    variant: str | None = None
    prompt_tokens: int | None = None
    snapshot: hub.Snapshot | None = None  # of a Hub checkpoint
    is_embedded: bool = False
    file: Path | None = None  # of the feed-forward form, where it is one

    def fetch(self, names: Iterable[str]) -> None:
        """Have these files in the folder; raises CheckpointError where they cannot be had."""
        if self.snapshot is not None:
            self.snapshot.fetch(names)


def find(
    source: str | Path,
    *,
    task: str | None = None,
    frame: str | None = None,
    revision: str | None = None,
    variant: str | None = None,
    offline: bool | None = None,
    prompt_tokens: int | None = None,
) -> Checkpoint:
    """What a source is, from its small files alone.

    Args:
        source: embedded model, alias of the registry, file of `monostep fold`, folder in
            diffusers' layout, or Hub id "owner/name".
        task: "depth" or "normals", for a checkpoint that cannot say it.
        frame: the network's own frame of normals, likewise.
        revision: branch, tag or commit on the Hub; None for the registry's, or the newest.
        variant: of the weight files, as "fp16"; None for the plain ones, or the only one there is.
        offline: make no request at all; None for what HF_HUB_OFFLINE says.
        prompt_tokens: 2 or 77; None for what the folder carries, or 2.

    Raises:
        CheckpointError: nothing there, incomplete, unsupported, or silent on what it predicts.
        SettingError: a setting that contradicts the checkpoint or makes no sense.
    """
    prompt.check_tokens(prompt_tokens)
    if str(source).endswith(folded.ENDING):
        fixed = {"revision": revision, "variant": variant, "prompt_tokens": prompt_tokens}
        return _file(Path(source), fixed, task=task, frame=frame)
    place = places.locate(source, revision=revision, offline=offline)
    if place.snapshot is not None:
        place.snapshot.fetch([*(name for name in EITHER if name in place.names), *CONFIGS])
    card = _card(place, task=task, frame=frame)
    unet, vae = (_weights(place, part, variant) for part in ("unet", "vae"))
    if place.snapshot is not None or layout.CARD not in place.names:
        card = dataclasses.replace(card, source=places.identity(place, (*unet, *vae)))
    return Checkpoint(
        folder=place.folder,
        card=card,
        names=place.names,
        unet=unet,
        vae=vae,
        variant=variant,
        prompt_tokens=prompt_tokens,
        snapshot=place.snapshot,
        is_embedded=place.folder.parent == embedded.ROOT,
    )


def load(checkpoint: Checkpoint, *, copy: bool = True) -> LatentDiffusion:
    """The model of a found checkpoint, in float32 and ready to predict.

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
    embedding = _embedding(checkpoint)  # first: its encoder is gone before the networks come
    checkpoint.fetch([*checkpoint.unet, *checkpoint.vae])
    unet = networks.unet(place, checkpoint.unet, copy=copy)
    autoencoder = networks.autoencoder(place, checkpoint.vae, copy=copy)
    if embedding.shape[1] != unet.config.context:
        raise CheckpointError(
            f"{place}: the prompt is {embedding.shape[1]} wide, the UNet expects "
            f"{unet.config.context}; text encoder and UNet belong to different checkpoints"
        )
    schedule = folder.load_schedule(place)
    model = LatentDiffusion(unet=unet, autoencoder=autoencoder, prompt=embedding, schedule=schedule)
    return model.eval()


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
        return folded.load(checkpoint.file, dtype=dtype, leave=leave)
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
    file: Path, fixed: dict[str, object], *, task: str | None, frame: str | None
) -> Checkpoint:
    """A file of the feed-forward form; SettingError for what was decided when it was made."""
    card = folded.read_card(file)
    families.check_asked(card, task=task, frame=frame)
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
        families.check_asked(card, task=task, frame=frame)
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
        unet=dimensions.unet_from_json(layout.read(place.folder / layout.UNET_CONFIG)),
        autoencoder=dimensions.autoencoder_from_json(layout.read(place.folder / layout.VAE_CONFIG)),
        published=place.published,
    )
    return families.card(said, task=task, frame=frame)


def _weights(place: Place, part: str, variant: str | None) -> tuple[str, ...]:
    try:
        return weight_files.choose(place.names, part, variant)
    except CheckpointError as error:
        if place.snapshot is not None and place.snapshot.offline:
            missing = f"what to read the {part} from ({error})"
            raise hub_errors.not_cached(
                place.snapshot.id, place.snapshot.commit, missing
            ) from error
        raise CheckpointError(f"{place.who}: {error}") from error


def _embedding(checkpoint: Checkpoint) -> Tensor:
    encoder = prompt.Encoder(
        folder=checkpoint.folder,
        names=checkpoint.names,
        variant=checkpoint.variant,
        fetch=checkpoint.fetch,
    )
    try:
        return prompt.load(
            encoder, tokens=checkpoint.prompt_tokens, store=_prompt_store(checkpoint)
        )
    except CheckpointError as error:
        snapshot = checkpoint.snapshot
        if snapshot is None or not snapshot.offline or prompt.CONFIG in checkpoint.names:
            raise
        raise hub_errors.not_cached(snapshot.id, snapshot.commit, "the text encoder") from error


def _prompt_store(checkpoint: Checkpoint) -> Path | None:
    """Beside a Hub checkpoint's snapshot; None leaves it to the user's cache."""
    if checkpoint.snapshot is None:
        return None
    tokens = checkpoint.prompt_tokens or prompt.SHORT
    return checkpoint.snapshot.beside / f"prompt-{checkpoint.snapshot.commit}-{tokens}.safetensors"
