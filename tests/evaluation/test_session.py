from contextlib import ExitStack

import pytest
from toy_benchmark import Oracle, Toy

from monostep.evaluation import session as sessions
from monostep.evaluation import workers
from monostep.evaluation.live import LiveModel
from monostep.evaluation.prepare import Preparation, Seat
from monostep.evaluation.progress import Progress
from monostep.evaluation.rules import Input
from monostep.evaluation.session import Desk, Session


def _run(folder, toy, model, *, batch_size=3, stop=None, heard=lambda *_: None, **options):
    """Lines of a run that takes so many images and is then killed: nothing more is flushed."""
    rules = toy.rules["depth"]
    contender = LiveModel(model, Input(), {}, batch_size=batch_size)
    with Progress(folder, "toy", {}, pooled=False) as progress:
        desk = Desk(rules=rules, progress=progress)
        session = Session(contender, {0: desk}, heard=heard, **options)
        wanted = {k: (0,) for k in range(toy.images) if k not in progress.lines}
        preparation = Preparation(
            benchmark=toy, seats={0: Seat(rules=rules, stored=None)}, baselines=None, wanted=wanted
        )
        for count, prepared in enumerate(workers.ahead(preparation, 0)):
            if count == stop:
                break
            session.take(prepared)
        else:
            session.flush()
        return dict(sorted(progress.lines.items()))


@pytest.mark.parametrize(
    ("size", "batch_size", "groups"),
    [
        ((16, 24), 3, [[0, 1, 2], [3, 4, 5], [6]]),
        ((16, 24), 1, [[0], [1], [2], [3], [4], [5], [6]]),
        ((32, 48), 9, [[0, 1], [2, 3], [4, 5], [6]]),
        ((64, 48), 9, [[0], [1], [2], [3], [4], [5], [6]]),
    ],
)
def test_small_images_go_together_and_large_ones_alone(
    tmp_path, monkeypatch, size, batch_size, groups
):
    monkeypatch.setattr(sessions, "TOGETHER", 2 * 32 * 48)
    toy = Toy(images=7, size=size)
    model = Oracle(toy, "depth")
    lines = _run(tmp_path, toy, model, batch_size=batch_size)
    assert model.groups == groups
    assert list(lines) == list(range(7))


@pytest.mark.parametrize("stop", range(12))
def test_a_run_that_was_ended_goes_on_to_the_same_digits(tmp_path, stop):
    toy = Toy(images=11, broken=(1, 5), empty=(6,))
    options = {"fails": (3,)}
    whole = _run(tmp_path / "whole", toy, Oracle(toy, "depth", **options))
    _run(tmp_path / "ended", toy, Oracle(toy, "depth", **options), stop=stop)
    again = Oracle(toy, "depth", **options)
    assert _run(tmp_path / "ended", toy, again) == whole
    problems = [index for index, line in whole.items() if line.problem]
    assert problems == [1, 3, 5, 6]


def test_what_is_done_is_not_done_again(tmp_path):
    toy = Toy(images=6)
    first = _run(tmp_path, toy, Oracle(toy, "depth"))
    model = Oracle(toy, "depth")
    assert _run(tmp_path, toy, model) == first
    assert model.groups == []


def test_every_line_is_heard_and_every_result_can_be_kept(tmp_path):
    toy = Toy(images=4, broken=(2,))
    heard, kept = [], {}
    _run(
        tmp_path,
        toy,
        Oracle(toy, "depth"),
        heard=lambda name, line: heard.append((name, line.image)),
        keep=lambda name, result: kept.update({name: result}),
    )
    assert heard == [("oracle-depth", name) for name in toy.names]
    assert list(kept) == [name for k, name in enumerate(toy.names) if k != 2]


def _run_joint(folder, toy, model, *, stop=None):
    """As `_run`, of a model whose maps are judged at two desks, angles pooled."""
    contender = LiveModel(model, Input(), {}, batch_size=3)
    with ExitStack() as stack:
        desks = {
            number: Desk(
                rules=toy.rules[task],
                progress=stack.enter_context(
                    Progress(folder, f"toy-{task}", {}, pooled=task == "normals")
                ),
            )
            for number, task in enumerate(("depth", "normals"))
        }
        session = Session(contender, desks, heard=lambda *_: None)
        wanted = {k: session.wants(k) for k in range(toy.images) if session.wants(k)}
        seats = {number: Seat(rules=desk.rules, stored=None) for number, desk in desks.items()}
        preparation = Preparation(benchmark=toy, seats=seats, baselines=None, wanted=wanted)
        for count, prepared in enumerate(workers.ahead(preparation, 0)):
            if count == stop:
                break
            session.take(prepared)
        else:
            session.flush()
        median = desks[1].progress.histogram.median_deg() if stop is None else None
        return [dict(sorted(desk.progress.lines.items())) for desk in desks.values()], median


def _joint_toy():
    return Toy(images=11, pooled=True, broken=(1,), empty=(6,))


def test_every_image_goes_through_a_joint_model_once(tmp_path):
    toy = _joint_toy()
    model = Oracle(toy, "geometry", fails=(3,))
    (depth, normals), _ = _run_joint(tmp_path, toy, model)
    assert model.groups == [[0, 2, 3], [0], [2], [3], [4, 5, 7], [8, 9, 10]]
    assert toy.loaded == list(range(11))
    problems = [[k for k, line in lines.items() if line.problem] for lines in (depth, normals)]
    assert problems == [[1, 3, 6], [1, 3, 6]]


def test_the_lines_of_a_joint_model_are_those_of_two_plain_ones(tmp_path):
    toy = Toy(images=5)
    (depth, _), _ = _run_joint(tmp_path / "joint", toy, Oracle(toy, "geometry"))
    assert depth == _run(tmp_path / "plain", toy, Oracle(toy, "depth"))


@pytest.mark.parametrize("stop", [0, 2, 4, 8])
def test_an_ended_joint_run_goes_on_to_the_same_digits(tmp_path, stop):
    toy = _joint_toy()
    whole = _run_joint(tmp_path / "whole", toy, Oracle(toy, "geometry", fails=(3,)))
    ended = tmp_path / "ended"
    _run_joint(ended, toy, Oracle(toy, "geometry", fails=(3,)), stop=stop)
    assert _run_joint(ended, toy, Oracle(toy, "geometry", fails=(3,))) == whole


@pytest.mark.parametrize("lost", ["depth", "normals"])
def test_what_only_one_desk_has_noted_is_made_again_in_the_same_groups(tmp_path, lost):
    """A kill may come between the two, or somebody takes the files of one away."""
    toy = _joint_toy()
    whole = _run_joint(tmp_path, toy, Oracle(toy, "geometry"))
    for path in tmp_path.glob(f"toy-{lost}.progress.*"):
        path.unlink()
    kept = {path: path.read_bytes() for path in tmp_path.glob("*.progress.npz")}
    model = Oracle(toy, "geometry")
    assert _run_joint(tmp_path, toy, model) == whole
    assert model.groups == [[0, 2, 3], [4, 5, 7], [8, 9, 10]]
    assert all(path.read_bytes() == content for path, content in kept.items())
