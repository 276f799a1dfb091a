from monostep.runner import naming


def test_names_of_all_files_of_an_image():
    assert naming.record("a") == "a.json"
    assert naming.maps("a", "depth", [".npy", ".png"]) == ["a.depth.npy", "a.depth.png"]
    assert naming.previews("a", "normals", [".npy", ".png"]) == ["a.normals.preview.png"]
    assert naming.previews("a", "normals", [".npy"]) == []


def test_every_name_is_known_as_a_result_of_its_stem_only():
    for stem in ("a", "a.b", "a.jpg"):
        names = naming.maps(stem, "depth", [".npy", ".tiff"])
        for name in [*names, *naming.previews(stem, "normals", [".png"])]:
            assert naming.is_result_of(name, stem)
            assert not naming.is_result_of(name, "other")
    assert not naming.is_result_of("a.jpg", "a")


def test_a_result_counts_as_described_beside_its_record_only(tmp_path):
    picture = tmp_path / "a.depth.preview.png"
    assert not naming.is_described_result(picture)
    (tmp_path / "a.json").touch()
    assert naming.is_described_result(picture)
    assert not naming.is_described_result(tmp_path / "a.png")
