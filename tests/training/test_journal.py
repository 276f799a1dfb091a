import json

from monostep.recipes import recipe
from monostep.training import trackers
from monostep.training.journal import Journal
from monostep.training.overriding import override

CONFIG = override(recipe("nano-depth"), ["steps=20"])


def test_a_resumed_run_logs_no_step_twice(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 5}\n{"step": 10}\n{"step": 15}\n{"step": 2', encoding="utf-8")
    with Journal(path, CONFIG, start=10) as journal:
        journal.advance(images=4)
        journal.record(step=11, loss=0.5)
        assert journal.images_per_second > 0
    steps = [json.loads(line)["step"] for line in path.read_text().splitlines()]
    assert steps == [5, 10, 11]


def test_a_silent_journal_writes_and_says_nothing(tmp_path, capsys):
    with Journal(tmp_path / "log.jsonl", CONFIG, start=0, silent=True) as journal:
        journal.say("a line")
        journal.record(step=1, loss=0.5)
        journal.picture(tmp_path / "none.png", step=1)
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr() == ("", "")


def test_trackers_hear_the_numbers_and_the_pictures(tmp_path, monkeypatch):
    heard = []

    class Tracker:
        def record(self, step, numbers):
            heard.append((step, dict(numbers)))

        def picture(self, step, path):
            heard.append((step, path.name))

        def close(self):
            heard.append("closed")

    monkeypatch.setattr(trackers, "start", lambda *_, **__: [Tracker()])
    with Journal(tmp_path / "log.jsonl", CONFIG, start=0) as journal:
        journal.record(step=1, loss=0.5, metric="abs_rel")
        journal.picture(tmp_path / "1.png", step=1)
    assert heard == [(1, {"loss": 0.5}), (1, "1.png"), "closed"]


def test_square_brackets_in_a_line_are_shown(tmp_path, capsys):
    with Journal(tmp_path / "log.jsonl", CONFIG, start=0) as journal:
        journal.say("images [bold] of [1, 2]")
    assert "images [bold] of [1, 2]" in capsys.readouterr().err


def test_what_is_not_finite_is_text_in_the_log(tmp_path):
    with Journal(tmp_path / "log.jsonl", CONFIG, start=0) as journal:
        journal.record(step=1, loss=float("nan"), gradient_norm=float("inf"))
    (line,) = (tmp_path / "log.jsonl").read_text().splitlines()
    assert json.loads(line, parse_constant=int) == {
        "step": 1,
        "loss": "nan",
        "gradient_norm": "inf",
    }
