import errno

import pytest

from monostep.checkpoints import hub as hubs
from monostep.checkpoints import hub_errors
from monostep.errors import CheckpointError

ID = "someone/model"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "no space left .* HF_HOME .* hf download",
        ),
        (PermissionError(13, "Permission denied", "/cache/x"), r"cannot be written \(/cache/x\)"),
        (ConnectionError("refused"), r"cannot be downloaded \(refused\); where there is a conn"),
        (OSError(), r"cannot be downloaded \(OSError\)"),
        (RuntimeError("Data processing error: CAS\nmore"), r"\(Data processing error: CAS\)"),
    ],
)
def test_each_failure_is_one_line_with_repository_and_cure(error, message):
    expected = pytest.raises(CheckpointError, match=f"^{ID}: .*{message}")
    with expected as caught, hub_errors.explained(ID, "main"):
        raise error
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is error


def test_a_transport_error_that_is_no_os_error_is_caught_too():
    import huggingface_hub  # noqa: F401 - brings its transport

    transports = hub_errors._transport_errors()
    assert transports
    for transport in transports:
        expected = pytest.raises(hub_errors.NoConnectionError, match="broke off")
        with expected, hub_errors.explained(ID, "main"):
            raise transport("broke off")


def test_other_errors_are_left_alone():
    with pytest.raises(ZeroDivisionError), hub_errors.explained(ID, "main"):
        _ = 1 / 0
    with pytest.raises(CheckpointError, match=r"^as it was$"), hub_errors.explained(ID, "main"):
        raise CheckpointError("as it was")


def test_what_the_hub_refuses_is_told_apart(hub, tmp_path):
    (tmp_path / "model_index.json").write_text("{}")
    hub.repositories[ID] = tmp_path
    with pytest.raises(CheckpointError, match=r"no/such: .*no such repository.*hf auth login"):
        hubs.find("no/such")
    with pytest.raises(CheckpointError, match=f"{ID}: no revision 'v9'"):
        hubs.find(ID, revision="v9")
    hub.gated.add(ID)
    with pytest.raises(CheckpointError, match=f"{ID}: its authors ask .* hf auth login"):
        hubs.find(ID)
    with pytest.raises(CheckpointError, match=r"a--b/c: not a Hub id .* expected owner/name"):
        hubs.find("a--b/c")


def test_the_command_can_be_pasted():
    assert hub_errors.command(ID, "main") == "hf download someone/model --revision main"
    assert hub_errors.command(ID, "main") in str(hub_errors.not_cached(ID, "main"))
