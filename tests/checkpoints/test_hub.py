import os
import subprocess
import sys

import pytest

from monostep.checkpoints import hub as hubs
from monostep.errors import CheckpointError, MonostepWarning

ID = "someone/model"
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture(autouse=True)
def repository(hub, tmp_path):
    folder = tmp_path / "repository"
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    (folder / "unet" / "config.json").write_text('{"a": 1}')
    (folder / WEIGHTS).write_bytes(bytes(range(256)) * 100)
    (folder / "pipeline.py").write_text("raise SystemExit('code of a repository was run')")
    hub.repositories[ID] = folder
    return folder


def gets(hub):
    return [line.rpartition("/")[2] for line in hub.requests if line.startswith("GET /someone")]


def test_only_what_is_asked_for_is_fetched(hub, repository):
    snapshot = hubs.find(ID)
    assert snapshot.commit == hub.commit(ID)
    assert set(snapshot.files) == {"model_index.json", "unet/config.json", WEIGHTS, "pipeline.py"}
    assert gets(hub) == ["model_index.json"]
    snapshot.fetch([WEIGHTS])
    assert (snapshot.folder / WEIGHTS).read_bytes() == (repository / WEIGHTS).read_bytes()
    assert gets(hub) == ["model_index.json", "diffusion_pytorch_model.safetensors"]
    assert not (snapshot.folder / "pipeline.py").exists()


def test_size_and_hash_of_large_files_are_known_before_and_after(repository):
    online = hubs.find(ID)
    online.fetch([WEIGHTS])
    facts = online.files[WEIGHTS]
    assert facts.bytes == (repository / WEIGHTS).stat().st_size
    assert facts.sha256 is not None
    assert online.files["unet/config.json"].sha256 is None
    assert hubs.find(ID, offline=True).files[WEIGHTS] == facts


def test_offline_makes_no_request_at_all(hub):
    first = hubs.find(ID)
    first.fetch([WEIGHTS])
    hub.requests.clear()
    again = hubs.find(ID, offline=True)
    again.fetch([WEIGHTS])
    assert (again.folder, again.commit) == (first.folder, first.commit)
    assert again.offline
    assert hub.requests == []
    with pytest.raises(CheckpointError, match=rf"unet/config.json is not in the cache.*{ID}"):
        again.fetch(["unet/config.json"])
    with pytest.raises(CheckpointError, match=f"run hf download {ID} --revision v2"):
        hubs.find(ID, revision="v2", offline=True)
    assert hub.requests == []


def test_the_environments_offline_switch_counts_unless_overruled(hub, monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(CheckpointError, match="offline nothing is downloaded"):
        hubs.find(ID)
    assert hub.requests == []


def test_what_is_there_is_not_asked_for_again(hub):
    hubs.find(ID).fetch([WEIGHTS])
    hub.requests.clear()
    hubs.find(ID).fetch([WEIGHTS])
    assert gets(hub) == []


def test_without_a_connection_the_cache_serves(monkeypatch):
    import huggingface_hub

    first = hubs.find(ID)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    again = hubs.find(ID)
    assert (again.commit, again.offline) == (first.commit, True)
    with pytest.raises(CheckpointError, match=r"b/c: cannot be downloaded .* hf download b/c"):
        hubs.find("b/c")


def test_the_usual_revision_gives_way_to_one_asked_for_and_offline_to_what_is_there(hub):
    commit = hub.commit(ID)
    assert hubs.find(ID, usual=commit).commit == commit
    with pytest.raises(CheckpointError, match="no revision 'v2'"):
        hubs.find(ID, revision="v2", usual=commit)
    with pytest.raises(CheckpointError, match="no revision '0000"):
        hubs.find(ID, usual="0" * 40)
    hubs.find(ID)
    with pytest.warns(MonostepWarning, match=f"0000000 is not on this machine, {commit[:7]}"):
        assert hubs.find(ID, usual="0" * 40, offline=True).commit == commit
    with pytest.raises(CheckpointError, match="not in the cache"):
        hubs.find(ID, revision="0" * 40, offline=True)


def test_a_broken_connection_is_taken_up_again(hub, repository):
    hub.cuts[WEIGHTS] = 2
    snapshot = hubs.find(ID)
    snapshot.fetch([WEIGHTS])
    assert hub.cuts[WEIGHTS] == 0
    assert (snapshot.folder / WEIGHTS).read_bytes() == (repository / WEIGHTS).read_bytes()


def test_a_download_that_fails_leaves_nothing_and_the_next_one_is_whole(hub, repository):
    snapshot = hubs.find(ID)
    hub.repositories[ID] = hub.repositories[ID].parent / "gone"
    with pytest.raises(CheckpointError, match=f"{ID}: "):
        snapshot.fetch([WEIGHTS])
    assert not (snapshot.folder / WEIGHTS).exists()
    hub.repositories[ID] = repository
    hubs.find(ID).fetch([WEIGHTS])
    assert (snapshot.folder / WEIGHTS).read_bytes() == (repository / WEIGHTS).read_bytes()


def test_a_corrupt_download_is_named_removed_and_fetched_anew(hub, repository):
    hub.corrupt.add(WEIGHTS)
    snapshot = hubs.find(ID)
    with pytest.raises(CheckpointError, match=r"safetensors: arrived corrupt .* run the same"):
        snapshot.fetch([WEIGHTS])
    assert not (snapshot.folder / WEIGHTS).exists()
    hub.corrupt.clear()
    snapshot.fetch([WEIGHTS])
    assert (snapshot.folder / WEIGHTS).read_bytes() == (repository / WEIGHTS).read_bytes()


def test_a_repository_that_is_no_model_is_refused(repository):
    (repository / "model_index.json").unlink()
    with pytest.raises(CheckpointError, match="has no model_index"):
        hubs.find(ID)


def test_a_fresh_process_asks_the_hub_and_says_what_went_wrong_in_one_line(tmp_path):
    """Other tests import what a user's process has not."""
    command = [sys.executable, "-m", "monostep", "inspect", "owner/name"]
    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    ended = subprocess.run(
        command, env=os.environ | nowhere, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    (line,) = ended.stderr.splitlines()
    assert "owner/name" in line
