from monostep.reproduction import times


def test_pieces_of_a_job_add_up(tmp_path):
    assert times.load(tmp_path) == {}
    times.add(tmp_path, "depth-0", 1.5)
    times.add(tmp_path, "depth-0", 2.0)
    times.add(tmp_path, "base-0", 1.0)
    assert times.load(tmp_path) == {"depth-0": 3.5, "base-0": 1.0}


def test_calls_are_noted_one_after_the_other_and_are_cut_until_they_end(tmp_path):
    assert times.pieces(tmp_path) == []
    for ended in ("cut", "end"):
        times.begin_piece(tmp_path, began="2026-01-01", at_once=2, where={})
        assert times.pieces(tmp_path)[-1]["ended"] == "cut"
        times.grow_piece(tmp_path, seconds=1.6, ended=ended)
    assert [piece["ended"] for piece in times.pieces(tmp_path)] == ["cut", "end"]
    assert times.pieces(tmp_path)[0]["seconds"] == 2
