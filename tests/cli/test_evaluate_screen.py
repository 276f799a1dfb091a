import io
import math
import sys

import pytest

from monostep.cli.evaluate_screen import Terminal, show
from monostep.evaluation.scores import MODEL, Line


def _line(value, metric="abs_rel"):
    return Line(image="a", stratum="all", pixels=4, scores={MODEL: {metric: value}})


class _Tty(io.StringIO):
    def isatty(self):
        return True


def _shown(screen):
    (task,) = screen._bar.tasks
    return task.completed, task.total, task.fields["means"]


def test_the_bar_shows_how_far_it_is_and_the_means_so_far(monkeypatch):
    monkeypatch.setattr(sys, "stderr", _Tty())
    monkeypatch.setenv("TERM", "xterm")
    with Terminal() as screen:
        screen.begin("toy", 4)
        screen.heard("a", _line(0.2))
        screen.heard("a", _line(0.4))
        screen.heard("b", _line(8.0, "mean_angle_deg"))
        screen.heard("a", Line(image="x", stratum="", pixels=0, problem="damaged"))
        assert _shown(screen) == (4, 4, "a abs_rel 0.3, b mean_angle_deg 8")
        screen.begin("other", 2)
        assert _shown(screen) == (0, 2, "")
        screen.heard("a", _line(math.nan))
        assert _shown(screen) == (1, 2, "")
        screen.say("a word")
    assert "monostep: a word" in sys.stderr.getvalue()


def test_without_a_terminal_there_is_no_bar(capsys):
    with Terminal() as screen:
        screen.begin("toy", 2)
        screen.heard("a", _line(0.2))
        screen.say("a word")
    assert capsys.readouterr().err == "monostep: a word\n"


def _report(**metrics):
    return {
        **dict(benchmark="toy", protocol="toy-1", task="depth", model="m", images=2, failed=[]),
        **dict(metrics=metrics, baselines={}, strata={}),
    }


def test_a_metric_without_any_value_has_no_column(capsys):
    show(_report(abs_rel=0.5, delta1=0.25, boundary_f1=None), as_json=False)
    shown = capsys.readouterr().out
    assert "abs_rel" in shown
    assert "0.25" in shown
    assert "boundary_f1" not in shown
    show(_report(abs_rel=0.5, delta1=0.25, boundary_f1=0.125), as_json=False)
    assert "boundary_f1" in capsys.readouterr().out


@pytest.mark.parametrize("value", [0.2, math.nan])
def test_it_does_not_matter_what_comes_first(value):
    screen = Terminal()
    screen.heard("a", _line(value))
    screen.say("early")
