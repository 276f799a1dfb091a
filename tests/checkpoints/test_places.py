import pytest

from monostep.checkpoints import embedded, places
from monostep.errors import CheckpointError, SettingError

ID = "GonzaloMG/marigold-e2e-ft-normals"


def locate(source, revision=None, offline=None):
    return places.locate(source, revision=revision, offline=offline)


def test_an_embedded_name_leads_into_the_package_wherever_one_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nano-depth").mkdir()
    place = locate("nano-depth")
    assert place.folder == embedded.ROOT / "nano-depth"
    assert (place.name, place.snapshot, place.published) == ("nano-depth", None, None)
    assert locate("./nano-depth").folder.resolve() == tmp_path / "nano-depth"


def test_a_folder_has_its_own_name_and_files(published):
    folder = published("e2e-depth")
    for source in (folder, str(folder), folder / "unet" / ".."):
        place = locate(source)
        assert place.name == "e2e-depth"
        assert "unet/config.json" in place.names
        assert str(folder) in place.who
    with pytest.raises(SettingError, match="is a folder and has only one"):
        locate(folder, revision="main")


def test_alias_and_hub_id_lead_to_one_snapshot(hub, published):
    hub.repositories[ID] = published("e2e-normals")
    by_alias, by_id = locate("e2e-normals"), locate(ID)
    assert by_alias == by_id
    assert by_alias.published.alias == "e2e-normals"
    assert by_alias.name == "marigold-e2e-ft-normals"
    assert by_alias.who == f"{ID} at {hub.commit(ID)[:7]}"


def test_a_pinned_checkpoint_is_asked_for_at_its_commit(hub, published):
    hub.repositories["GonzaloMG/marigold-e2e-ft-depth"] = published("e2e-depth")
    with pytest.raises(CheckpointError, match="no revision '43eb713"):
        locate("e2e-depth")
    assert locate("e2e-depth", revision="main").published.alias == "e2e-depth"


def test_identity_is_sizes_at_home_and_hashes_on_the_hub(hub, published):
    files = ("unet/diffusion_pytorch_model.safetensors",)
    folder = published("e2e-normals")
    hub.repositories[ID] = folder
    size = (folder / files[0]).stat().st_size
    at_home = places.identity(locate(folder), files)
    facts = {files[0]: {"bytes": size, "sha256": None}}
    assert at_home == {"id": "e2e-normals", "commit": None, "files": facts}
    on_hub = places.identity(locate(ID), files)
    assert on_hub["files"][files[0]]["bytes"] == size
    assert (on_hub["id"], on_hub["commit"]) == (ID, hub.commit(ID))
    assert len(on_hub["files"][files[0]]["sha256"]) == 64


def test_one_of_several_unets_is_asked_for_or_the_registrys(hub, geowizard):
    folder = geowizard("geowizard")
    assert places.locate(folder, revision=None, offline=None).unet_config == "unet/config.json"
    second = places.locate(folder, revision=None, offline=None, unet="unet_v2")
    assert (second.unet_config, second.published) == ("unet_v2/config.json", None)
    assert places.identity(second, ())["unet"] == "unet_v2"
    hub.repositories["lemonaddie/geowizard"] = folder
    by_alias = locate("geowizard-v2")
    for name in ("geowizard", "lemonaddie/geowizard", "geowizard-v2"):
        place = places.locate(name, revision=None, offline=None, unet="unet_v2")
        assert place == by_alias
        assert (place.unet, place.published.alias) == ("unet_v2", "geowizard-v2")
    assert locate("lemonaddie/geowizard").published.alias == "geowizard"


def test_a_unet_that_is_not_there_is_refused(hub, geowizard):
    hub.repositories["lemonaddie/geowizard"] = geowizard("geowizard")
    for source, unet, message in (
        (geowizard("geowizard-e2e"), "unet_v2", "e2e has unet/ alone; leave unet out"),
        ("nano-depth", "unet_v2", "has unet/ alone"),
        ("geowizard-v2", "unet", "this is the one of unet_v2/; leave unet out"),
        ("geowizard", "unet_v3", "choose unet or unet_v2"),
    ):
        with pytest.raises(SettingError, match=message):
            places.locate(source, revision=None, offline=None, unet=unet)


@pytest.mark.parametrize("source", ["nano-deep", "/no/such", "a/b/c", "-x/y"])
def test_what_leads_nowhere_is_told_where_it_could(source):
    with pytest.raises(CheckpointError, match=r"embedded model .* alias .* folder .* Hub id"):
        locate(source)
