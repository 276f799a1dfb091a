import geowizard_folders
import hub_server
import marigold_folders
import pytest


@pytest.fixture(autouse=True)
def caches(tmp_path_factory, monkeypatch):
    """No test reads or writes the caches of whoever runs it."""
    place = tmp_path_factory.mktemp("caches")
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    return place


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """One folder for each published layout, not to be written in."""
    root = tmp_path_factory.mktemp("published")
    return lambda kind: (
        root / kind if (root / kind).is_dir() else marigold_folders.write(root / kind, kind)
    )


@pytest.fixture(scope="session")
def geowizard(tmp_path_factory):
    """The same of GeoWizard's layouts, and of the text encoder that its second version was fed."""
    root = tmp_path_factory.mktemp("geowizard")
    return lambda kind: (
        root / kind if (root / kind).is_dir() else geowizard_folders.write(root / kind, kind)
    )


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub that is asked instead of the real one, with an empty cache."""
    import huggingface_hub

    with hub_server.running() as served:
        constants = huggingface_hub.constants
        template = served.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", served.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "DEFAULT_ETAG_TIMEOUT", 2)
        yield served
        huggingface_hub.close_session()
