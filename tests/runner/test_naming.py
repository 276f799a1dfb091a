from monostep.runner import naming


def names(stem, task, formats, *, uncertain=False):
    return [part.name for part in naming.parts(stem, task, formats, uncertain=uncertain)]


def test_names_of_all_files_of_an_image():
    assert naming.record("a") == "a.json"
    assert names("a", "depth", ["npy", "exr-half"]) == ["a.depth.npy", "a.depth.exr"]
    assert names("a", "normals", ["npy", "png"], uncertain=True) == [
        "a.normals.npy",
        "a.normals.png",
        "a.normals.uncertainty.npy",
        "a.normals.uncertainty.png",
        "a.normals.preview.png",
    ]


def test_the_record_tells_apart_what_names_do_not():
    kinds = {
        part.kind
        for formats in (["png", "exr"], ["exr-half"])
        for part in naming.parts("a", "depth", formats, uncertain=True)
    }
    assert kinds == {
        "depth",
        "depth uncertainty",
        "depth preview",
        "depth in half floats",
        "depth uncertainty in half floats",
    }


def test_every_name_is_known_as_a_result_of_its_stem_only():
    for stem in ("a", "a.b", "a.jpg"):
        for task in ("depth", "normals"):
            for name in names(stem, task, ["npy", "tiff", "png"], uncertain=True):
                assert naming.is_result_of(name, stem)
                assert not naming.is_result_of(name, "other")
    assert not naming.is_result_of("a.jpg", "a")


def test_a_result_counts_as_described_beside_its_record_only(tmp_path):
    pictures = [tmp_path / f"a.depth.{kind}.png" for kind in ("preview", "uncertainty")]
    assert not any(map(naming.is_described_result, pictures))
    (tmp_path / "a.json").touch()
    assert all(map(naming.is_described_result, pictures))
    assert not naming.is_described_result(tmp_path / "a.png")
