import io
import os
import pickle
import tarfile

import pytest

from monostep.errors import InputError
from monostep.evaluation.sets import archive as module
from monostep.evaluation.sets.archive import Archive

FILES = {
    "test/kitchen_0004/rgb_0001.png": b"red",
    "test/kitchen_0004/depth_0001.png": b"far" * 1000,
    "test/" + "long/" * 40 + "name.png": b"",
    "top.txt": bytes(512),
}


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "set"
    for name, data in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (root / ".DS_Store").write_bytes(b"x")
    (root / "test" / "._rgb_0001.png").write_bytes(b"x")
    return root


@pytest.fixture(params=["GNU", "PAX", "USTAR names without ./"])
def tar(request, folder):
    kind = tarfile.PAX_FORMAT if request.param == "PAX" else tarfile.GNU_FORMAT
    with tarfile.open(folder.with_suffix(".tar"), "w", format=kind) as file:
        if "without" in request.param:
            for name in [*FILES, ".DS_Store"]:
                file.add(folder / name, arcname=name)
        else:
            file.add(folder, arcname=".")
    return folder.with_suffix(".tar")


def test_a_tar_and_its_folder_hold_the_same(folder, tar):
    for archive in (Archive(folder), Archive(tar)):
        assert archive.names() == sorted(FILES)
        for name, data in FILES.items():
            assert archive.read(name) == archive.read("./" + name) == data
            assert archive.has(name)
            assert archive.file(name).read_bytes() == data


def test_a_part_has_the_whole_without_its_prefix(folder, tar):
    for archive in (Archive(folder), Archive(tar)):
        part = archive.within("test").within("kitchen_0004")
        assert part.names() == ["depth_0001.png", "rgb_0001.png"]
        assert part.read("rgb_0001.png") == b"red"
        assert part.where("rgb_0001.png") == archive.where("test/kitchen_0004/rgb_0001.png")
        assert archive.within("").names() == archive.names()
        assert archive.within("tes").names() == []


def test_messages_name_the_tar_and_the_member(folder, tar):
    assert Archive(tar).where("a/b.png") == f"{tar}: a/b.png"
    assert Archive(folder).where("a/b.png") == str(folder / "a/b.png")
    for path in (tar, folder):
        with pytest.raises(InputError, match=r"no such .*complete") as error:
            Archive(path).read("test/none.png")
        assert str(path) in str(error.value)
        assert "test/none.png" in str(error.value)


def test_a_worker_gets_the_index_and_does_not_build_it(folder, tar, monkeypatch):
    packed = [pickle.dumps(Archive(path)) for path in (folder, tar)]

    def never(*_):
        raise AssertionError("indexed again")

    monkeypatch.setattr(module, "_in_tar", never)
    monkeypatch.setattr(module, "_in_folder", never)
    for one in packed:
        assert pickle.loads(one).read("test/kitchen_0004/rgb_0001.png") == b"red"


def test_hard_links_of_a_tar_are_their_files(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as file:
        member = tarfile.TarInfo("./a.png")
        member.size = 3
        file.addfile(member, io.BytesIO(b"one"))
        link = tarfile.TarInfo("./b.png")
        link.type, link.linkname = tarfile.LNKTYPE, "./a.png"
        file.addfile(link)
    assert Archive(path).read("b.png") == b"one"


def test_folders_are_followed_through_links_but_not_in_circles(tmp_path, folder):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "linked").symlink_to(folder)
    (folder / "test" / "back").symlink_to(tmp_path / "data")
    found = Archive(tmp_path / "data")
    assert found.names() == sorted(f"linked/{name}" for name in FILES)


def test_neither_folder_nor_tar(tmp_path):
    with pytest.raises(InputError, match="neither a folder nor a tar"):
        Archive(tmp_path / "none")
    (tmp_path / "no.tar").write_bytes(b"hello" * 400)
    with pytest.raises(InputError, match="not a whole uncompressed tar"):
        Archive(tmp_path / "no.tar")


def test_a_compressed_tar_must_be_unpacked(tmp_path, folder):
    path = tmp_path / "set.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        file.add(folder, arcname=".")
    with pytest.raises(InputError, match="unpack it and give the folder") as error:
        Archive(path)
    assert "\n" not in str(error.value)


def test_an_unfinished_download_is_refused_wherever_it_ends(folder):
    path = folder.with_suffix(".tar")
    with tarfile.open(path, "w") as file:
        for name, data in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))
    whole = path.read_bytes()
    header = whole.index(b"test/kitchen_0004/depth_0001.png")
    last = whole.index(b"top.txt")
    for length in (700, header, header + 512, header + 900, last, last + 100, last + 1024):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match="tar"):
            Archive(path)


def test_a_file_that_shrank_after_indexing(tar):
    archive = Archive(tar)
    tar.write_bytes(tar.read_bytes()[:600])
    with pytest.raises(InputError, match="ends early"):
        archive.read("test/kitchen_0004/depth_0001.png")
    tar.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        archive.read("test/kitchen_0004/rgb_0001.png")


def test_links_and_absolute_names_of_a_tar_are_found(tmp_path):
    path = tmp_path / "a.tar"
    links = {
        "/set/b/near.png": "../a/one.png",
        "/set/twice.png": "b/near.png",
        "/set/c": "a",
        "/set/none.png": "/elsewhere.png",
        "/set/circle": "circle",
    }
    with tarfile.open(path, "w") as file:
        for name, target in links.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            file.addfile(link)
        member = tarfile.TarInfo("/set/a/one.png")
        member.size = 3
        file.addfile(member, io.BytesIO(b"one"))
    archive = Archive(path)
    found = ["set/a/one.png", "set/b/near.png", "set/c/one.png", "set/twice.png"]
    assert archive.names() == found
    assert {archive.read(name) for name in [*found, "/set/a/one.png"]} == {b"one"}


def test_a_damaged_header_is_not_taken_for_the_end(tar):
    data = bytearray(tar.read_bytes())
    with tarfile.open(tar) as file:
        places = [member.offset for member in file][1:]
    for place in places:
        broken = data.copy()
        broken[place + 150] ^= 0xFF  # of its checksum
        tar.write_bytes(broken)
        with pytest.raises(InputError, match=rf"{tar.name}: .*(damaged at byte {place};|tar)"):
            Archive(tar)
    plain = max(places)  # of a name that needs no header before its own
    broken = data.copy()
    broken[plain + 150] ^= 0xFF
    tar.write_bytes(broken)
    with pytest.raises(InputError, match=rf"damaged at byte {plain}; download it again"):
        Archive(tar)


def test_an_unpacked_file_that_grew_is_read_whole(folder):
    archive = Archive(folder)
    (folder / "top.txt").write_bytes(bytes(2000))
    assert archive.read("top.txt") == bytes(2000)


def test_a_source_is_a_path_where_there_is_one(folder, tar):
    name = "test/kitchen_0004/rgb_0001.png"
    assert Archive(folder).within("test").source("kitchen_0004/rgb_0001.png") == folder / name
    assert Archive(tar).source(name) == Archive(tar).file(name)
    with pytest.raises(InputError, match="no such file"):
        Archive(folder).source("none.png")


def test_the_state_changes_with_the_files_it_is_asked_for(folder, tar):
    names = ["test/kitchen_0004/rgb_0001.png", "none.png"]
    unpacked, packed = Archive(folder), Archive(tar)
    states = [unpacked.state(names), packed.state(names)]
    (folder / "top.txt").write_bytes(b"changed")
    assert [unpacked.state(names[::-1]), packed.state(names)] == states
    (folder / names[0]).write_bytes(b"changed")
    os.utime(tar, ns=(1, 1))
    assert not {unpacked.state(names), packed.state(names)} & {*states}
