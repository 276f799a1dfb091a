"""Twelve clean renders as ordinary files, once for all tests of a process."""

import pytest

from monostep.data import manifest
from monostep.data.manifest_source import ManifestSource
from monostep.data.synthesize import synthesize

SIZE = (96, 128)


@pytest.fixture(scope="session")
def clean(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clean") / "set"
    synthesize(folder, seed=5, indices=range(12), size=SIZE)
    return folder


@pytest.fixture(scope="session")
def scenes(clean):
    return ManifestSource(manifest.read(clean)).fetch(range(12), SIZE)
