import json

from monostep.training.journal import Journal


def test_a_resumed_run_logs_no_step_twice(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 5}\n{"step": 10}\n{"step": 15}\n{"step": 2', encoding="utf-8")
    with Journal(path, total=20, start=10) as journal:
        journal.advance(images=4)
        journal.record(step=11, loss=0.5)
        assert journal.images_per_second > 0
    steps = [json.loads(line)["step"] for line in path.read_text().splitlines()]
    assert steps == [5, 10, 11]
