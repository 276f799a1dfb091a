"""Runs that learn what a teacher model says, on any images."""

import dataclasses
from dataclasses import dataclass

from monostep.errors import SettingError
from monostep.network.autoencoder_kl import AutoencoderKLConfig
from monostep.network.autoencoder_tiny import AutoencoderTinyConfig
from monostep.training.config import Family, TrainConfig

# Sized for teachers of factor 4. Latents are the teacher's scaled ones, so the scale is 1.
DEFAULT_TINY = AutoencoderTinyConfig(width=32, encoder_blocks=(0, 1, 3), decoder_blocks=(3, 1, 0))
DEFAULT_KL = AutoencoderKLConfig(channels=(32, 64, 96), layers=1, groups=8, scale=1.0)
TINY = ("width", "encoder_blocks", "decoder_blocks")
KL = ("channels", "layers", "groups")
REPLACED = ("cache", "data", "weights", "validation_data")  # by a folder of photographs


@dataclass(frozen=True, kw_only=True)
class DistilConfig(TrainConfig):
    """What the two stages of a distillation share."""

    teacher: str | None = None  # one-step model: embedded name, folder or Hub id
    images: str | None = None  # folder of photographs; none: the procedural scenes
    # Errors of depth in [0, 1] are divided by the teacher's depth plus this, 0 being near; as a
    # share of depth they are what AbsRel measures. Of no effect on normals.
    near: float = 0.1
    edge_weight: float = 0.5  # of the error of the map's slopes, against 1 for the map's own

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        super().__post_init__()
        self.require_above_zero("near")
        self.require_not_negative("edge_weight")
        given = [name for name in REPLACED if getattr(self, name)]
        if self.images is not None and given:
            raise SettingError(
                f"{given[0]} is for scenes and manifests, but images {self.images} takes their "
                "place; leave one of the two out"
            )

    @property
    def teacher_name(self) -> str:
        """The teacher; SettingError while none is set."""
        if self.teacher is None:
            raise SettingError(f"{self.recipe} needs a teacher: add --set teacher=MODEL")
        return self.teacher


@dataclass(frozen=True, kw_only=True)
class CodecConfig(DistilConfig):
    """First stage: a small codec learns the teacher's latents and decoded maps.

    Of the dimensions only those of the chosen family may be given; None is the recipe's default.
    """

    family: Family = "tiny"
    latent_weight: float = 1.0  # of the encoder's error, against 1 for the decoder's
    width: int | None = None
    encoder_blocks: tuple[int, ...] | None = None  # from the image's resolution down
    decoder_blocks: tuple[int, ...] | None = None  # from the latent's resolution up
    channels: tuple[int, ...] | None = None  # of a "kl" codec, from the image's resolution down
    layers: int | None = None
    groups: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        super().__post_init__()
        self.require_above_zero("latent_weight")
        others = KL if self.family == "tiny" else TINY
        given = [name for name in others if getattr(self, name) is not None]
        if given:
            mine = ", ".join(TINY if self.family == "tiny" else KL)
            raise SettingError(
                f"{given[0]} is not a setting of family {self.family}, which has: {mine}"
            )
        self._check_dimensions()

    @property
    def student(self) -> AutoencoderTinyConfig | AutoencoderKLConfig:
        """Dimensions of the codec."""
        names = TINY if self.family == "tiny" else KL
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return dataclasses.replace(DEFAULT_TINY if self.family == "tiny" else DEFAULT_KL, **given)

    def _check_dimensions(self) -> None:
        student = self.student
        if isinstance(student, AutoencoderKLConfig):
            self._check_kl(student)
            return
        down, up = student.encoder_blocks, student.decoder_blocks
        if student.width < 1 or not down or min(down + up) < 0 or len(down) != len(up):
            raise SettingError(
                f"width {student.width}, encoder_blocks {list(down)}, decoder_blocks {list(up)}: "
                "expected a width above 0 and as many numbers from 0 in the one as in the other"
            )

    def _check_kl(self, student: AutoencoderKLConfig) -> None:
        widths, groups = student.channels, student.groups
        if (
            not widths
            or min(*widths, groups, student.layers) < 1
            or any(width % groups for width in widths)
        ):
            raise SettingError(
                f"channels {list(widths)}, layers {student.layers}, groups {groups}: expected "
                "numbers above 0, and channels divisible by the groups"
            )


@dataclass(frozen=True, kw_only=True)
class StudentConfig(DistilConfig):
    """Second stage: UNet and codec together learn the teacher's maps."""

    start: str | None = None  # run of the first stage, or a model folder

    @property
    def start_name(self) -> str:
        """Where the student begins; SettingError while it is not set."""
        if self.start is None:
            raise SettingError(
                f"{self.recipe} needs a student: add --set start=RUN, a run of distil-decoder"
            )
        return self.start
