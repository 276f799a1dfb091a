"""The model that learns from a teacher: the teacher's UNet around a new, smaller codec."""

import dataclasses
from pathlib import Path

from monostep.checkpoints import embedded, folder
from monostep.checkpoints.card import Card
from monostep.diffusion.latent_diffusion import Autoencoder, LatentDiffusion
from monostep.errors import SettingError
from monostep.network.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig
from monostep.network.autoencoder_tiny import AutoencoderTiny
from monostep.training.distil_config import CodecConfig, DistilConfig, StudentConfig
from monostep.training.teacher import Teacher

SAME = ("task", "quantity", "invariance", "frame")


def new_student(config: CodecConfig, teacher: Teacher) -> LatentDiffusion:
    """The teacher with a codec of random weights, which alone will learn."""
    network = teacher.network
    codec = _codec(config, network.vae.config.latent_channels)
    if codec.config.factor != network.multiple:
        raise SettingError(
            f"{config.family} codec of {_levels(codec.config.factor)}: the teacher "
            f"{config.teacher} has {_levels(network.multiple)}; give {_lengths(config)} as many"
        )
    config.check_sizes(network.multiple)
    return LatentDiffusion(
        unet=network.unet,
        autoencoder=codec,
        prompt=network.prompt,
        schedule=network.schedule,
    )


def started_student(config: StudentConfig, teacher: Teacher, *, result: str) -> LatentDiffusion:
    """The best model of the run that the config starts from, or the model of a folder."""
    place = embedded.locate(config.start_name)
    student, card = folder.load(_model_folder(place, result))
    other = [name for name in SAME if getattr(card, name) != getattr(teacher.card, name)]
    if other:
        name = other[0]
        raise SettingError(
            f"start {config.start}: its {name} is {getattr(card, name)}, the teacher's "
            f"{getattr(teacher.card, name)}; choose a student of this teacher"
        )
    config.check_sizes(student.multiple)
    return student.train()


def card_of(config: DistilConfig, teacher: Teacher, student: LatentDiffusion) -> Card:
    """The teacher's card, but for what is the student's own."""
    family = "kl" if isinstance(student.vae, AutoencoderKL) else "tiny"
    return dataclasses.replace(
        teacher.card,
        name=f"{teacher.card.name}-{family}",
        grade="user",
        spacing="trailing",  # as it was asked while it learned, whatever the teacher's card says
        last="clean",
        source={"teacher": teacher.card.name, "teacher_hash": teacher.card.tensor_hash},
        recipe=config.as_dict(),
        scores={},
        tensor_hash=None,
    )


def _codec(config: CodecConfig, latent_channels: int) -> Autoencoder:
    dimensions = dataclasses.replace(config.student, latent_channels=latent_channels)
    if isinstance(dimensions, AutoencoderKLConfig):
        return AutoencoderKL(dimensions)
    return AutoencoderTiny(dimensions)


def _model_folder(place: Path, result: str) -> Path:
    return place / result if (place / result).is_dir() else place


def _levels(factor: int) -> str:
    return f"{factor.bit_length()} levels (factor {factor})"


def _lengths(config: CodecConfig) -> str:
    return "channels" if config.family == "kl" else "encoder_blocks and decoder_blocks"
