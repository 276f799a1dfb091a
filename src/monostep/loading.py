"""From a name to a predictor: found, folded, on its device and in its precision."""

from pathlib import Path

from monostep.checkpoints import asking, opening
from monostep.checkpoints.opening import Checkpoint
from monostep.device import choose_device, choose_dtype
from monostep.errors import SettingError
from monostep.feedforward import memory
from monostep.predictor import Predictor


def load(  # noqa: PLR0913 - the published contract
    source: str | Path,
    *,
    task: str | None = None,
    frame: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    revision: str | None = None,
    variant: str | None = None,
    offline: bool | None = None,
    prompt_tokens: int | None = None,
    max_memory: int | None = None,
    attention: str | None = None,
    unet: str | None = None,
) -> Predictor:
    """The predictor of a checkpoint of the Marigold family or of GeoWizard's.

    Args:
        source: "nano-depth" and others of `monostep models`, a file of `monostep fold`, a folder
            in the layout of diffusers, or a Hub id.
        task: "depth" or "normals", for a checkpoint that does not say.
        frame: of its normals, "opencv", "opengl", "directx" or "dsine", likewise.
        device: "auto" (CUDA if there is one, else the CPU) or a torch device.
        dtype: "fp32", "bf16", "fp16", or "auto": bf16 where the device has it, else fp32.
        revision: branch, tag or commit of a Hub id.
        variant: of the weight files, such as "fp16".
        offline: True: only what is on this machine; None: what HF_HUB_OFFLINE says.
        prompt_tokens: length of the empty prompt: 2, or 77 as the E2E-FT models were trained.
        max_memory: bytes that the process (on a GPU, the device) may take; None for no limit.
        attention: of a model of depth and normals together: "joint", as its card says, or
            "separate", in which neither map sees the other.
        unet: "unet_v2" for GeoWizard's second version, where a folder or repository holds both.

    Raises:
        CheckpointError: the model is missing, partial, corrupt or ambiguous.
        SettingError: an unknown device, dtype or setting, or one that contradicts the checkpoint.
        MissingExtraError: the text encoder needs an extra package.
    """
    # A mistake shows before minutes of download.
    choose_dtype(dtype, choose_device(device))
    found = opening.find(
        source,
        task=task,
        frame=frame,
        revision=revision,
        variant=variant,
        offline=offline,
        prompt_tokens=prompt_tokens,
        attention=attention,
        unet=unet,
    )
    asking.check_whole(found.card, task)
    return open_checkpoint(found, device=device, dtype=dtype, max_memory=max_memory)


def open_checkpoint(
    found: Checkpoint, *, device: str = "auto", dtype: str = "auto", max_memory: int | None = None
) -> Predictor:
    """The predictor of a checkpoint that was found; arguments and errors as for `load`."""
    place = choose_device(device)
    kind = choose_dtype(dtype, place)
    leave = 0 if max_memory is None else memory.to_leave(found.file, max_memory)
    network = opening.fold(found, dtype=kind, leave=leave)
    least = memory.RUNTIME + memory.weight_bytes(network)
    if max_memory is not None and place.type == "cpu" and least > max_memory:
        fold = "fold it into a file, in which its weights can stay, " if found.file is None else ""
        narrow = "ask for dtype bf16, " if kind.itemsize > 2 else ""
        more = "or allow more" if fold or narrow else "allow more"
        raise SettingError(
            f"{found.card.name}: weights and libraries take {least / 1e9:.2f} GB, and "
            f"{max_memory / 1e9:.2f} GB are allowed; {fold}{narrow}{more}"
        )
    return Predictor(network, found.card, device=place, dtype=kind, max_memory=max_memory)
