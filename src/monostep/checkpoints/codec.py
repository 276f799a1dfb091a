"""A small autoencoder in place of a checkpoint's own, from a folder of its own."""

from pathlib import Path

from monostep.checkpoints import dimensions, layout, networks, weight_files
from monostep.diffusion.latent_diffusion import Autoencoder
from monostep.errors import CheckpointError, SettingError
from monostep.network.autoencoder_tiny import AutoencoderTiny

_KIND = "tiny"


def parse(setting: str) -> Path:
    """The folder in "tiny=FOLDER"; SettingError for anything else."""
    kind, _, folder = setting.partition("=")
    if kind != _KIND or not folder:
        raise SettingError(f"codec {setting!r}: expected {_KIND}=FOLDER, with an AutoencoderTiny")
    return Path(folder)


def load(folder: Path, replaced: Autoencoder) -> AutoencoderTiny:
    """The AutoencoderTiny of a model folder, or of a folder that holds nothing else.

    Args:
        folder: has `vae/config.json`, or `config.json` itself, and the weights beside it.
        replaced: the autoencoder whose latents it must speak.

    Raises:
        CheckpointError: none there, or a broken one, or one with latents of another shape.
    """
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such folder; give the one of the small autoencoder")
    inside = (folder / layout.VAE_CONFIG).is_file()
    files = layout.names(folder)
    try:
        chosen = weight_files.choose(files if inside else [f"vae/{name}" for name in files], "vae")
    except CheckpointError as error:
        raise CheckpointError(f"{folder}: {error}") from error
    if inside:
        codec = networks.autoencoder(folder, chosen)
    else:
        config = dimensions.autoencoder_from_json(layout.read(folder / "config.json"))
        paths = [folder / name.removeprefix("vae/") for name in chosen]
        codec = networks.filled_autoencoder(config, paths)
    if not isinstance(codec, AutoencoderTiny):
        raise CheckpointError(
            f"{folder}: holds an {type(codec).__name__}; expected an AutoencoderTiny"
        )
    here, there = ((one.config.latent_channels, one.config.factor) for one in (codec, replaced))
    if here != there:
        raise CheckpointError(
            f"{folder}: latents of {here[0]} channels at 1/{here[1]} of the size; the model's have "
            f"{there[0]} at 1/{there[1]}: take a codec made for it"
        )
    return codec
