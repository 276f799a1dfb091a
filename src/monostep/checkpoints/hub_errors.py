"""What can go wrong with the Hub, each in one line that names the repository and the cure."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from monostep.errors import CheckpointError

# The libraries that huggingface_hub has used for requests, with the base of their errors.
TRANSPORTS = {"httpx2": "HTTPError", "httpx": "HTTPError", "requests": "RequestException"}


class NoConnectionError(CheckpointError):
    """The Hub did not answer; what is in the cache may still serve."""


def command(id: str, revision: str) -> str:
    """The shell command that puts a repository into the cache."""
    return f"hf download {id} --revision {revision}"


def not_cached(id: str, revision: str, what: str = "the checkpoint") -> CheckpointError:
    """The error for what is asked offline and is not in the cache."""
    return CheckpointError(
        f"{id}: no folder here, and {what} is not in the cache; offline nothing is downloaded: "
        f"with a connection, run {command(id, revision)}"
    )


@contextmanager
def explained(id: str, revision: str) -> Iterator[None]:
    """Turn the errors of huggingface_hub and its transport into CheckpointError."""
    from huggingface_hub.errors import HFValidationError

    try:
        yield
    except CheckpointError:
        raise
    except (OSError, HFValidationError, RuntimeError, *_transport_errors()) as error:
        raise _explanation(error, id, revision) from error


def _explanation(error: Exception, id: str, revision: str) -> CheckpointError:
    from huggingface_hub import errors as hub

    status = getattr(getattr(error, "response", None), "status_code", None)
    reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    if isinstance(error, hub.GatedRepoError):
        return CheckpointError(
            f"{id}: its authors ask you to accept terms; do so on the model's page, then run: "
            "hf auth login"
        )
    if isinstance(error, hub.RevisionNotFoundError):
        return CheckpointError(
            f"{id}: no revision {revision!r}; give a branch, tag or commit that exists, or 'main'"
        )
    if isinstance(error, hub.RepositoryNotFoundError) or status in (401, 403):
        return CheckpointError(
            f"{id}: no folder here, and no such repository on the Hub, or a private one; check the "
            "name, or run: hf auth login"
        )
    if isinstance(error, hub.HFValidationError):
        return CheckpointError(f"{id}: not a Hub id ({reason}); expected owner/name")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CheckpointError(
            f"{id}: no space left for its files; free some or set HF_HOME to a folder on another "
            f"disk, then run: {command(id, revision)}"
        )
    if isinstance(error, PermissionError):
        return CheckpointError(
            f"{id}: the cache cannot be written ({error.filename}); fix its permissions or set "
            "HF_HOME to another folder"
        )
    if isinstance(error, hub.RemoteEntryNotFoundError):
        return CheckpointError(f"{id}: {reason}; it is not a whole checkpoint at {revision}")
    return NoConnectionError(
        f"{id}: cannot be downloaded ({reason}); where there is a connection, run: "
        f"{command(id, revision)}"
    )


def _transport_errors() -> tuple[type[Exception], ...]:
    return tuple(
        getattr(sys.modules[module], name)
        for module, name in TRANSPORTS.items()
        if module in sys.modules
    )
