import pytest
import tiny_models

from monostep import loading


@pytest.fixture(scope="package")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    folders = {
        "depth": tiny_models.depth_folder(root / "d"),
        "normals": tiny_models.normals_folder(root / "n"),
    }
    return {task: loading.load(folder, dtype="fp32") for task, folder in folders.items()}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path
