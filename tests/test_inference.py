import pytest

from monostep import inference
from monostep.checkpoints.card import Card
from monostep.diffusion.schedule import Schedule, scaled_linear
from monostep.errors import SettingError

SCHEDULE = Schedule(alpha_bar=scaled_linear(), target="velocity")
DEPTH = Card(name="d", task="depth", quantity="depth", invariance="affine")
NORMALS = Card(name="n", task="normals", frame="opengl")
MARIGOLD = Card(
    name="m",
    task="depth",
    quantity="depth",
    invariance="affine",
    family="diffusion",
    steps=4,
    noise="gaussian",
    last="previous",
)
LCM = Card(
    name="l",
    task="depth",
    quantity="depth",
    invariance="affine",
    family="consistency",
    noise="gaussian",
    spacing="lcm",
)
JOINT = Card(
    name="j",
    task="geometry",
    quantity="depth",
    invariance="affine",
    frame="opencv",
    domain="outdoor",
    attention="joint",
)


def _sampler(card, **asked):
    how = inference.resolve(card, **asked)
    return how, inference.sampler(SCHEDULE, how, sees_noise=True)


def _cautions(card, **asked):
    how, sampler = _sampler(card, **asked)
    return inference.cautions(card, sampler, how)


@pytest.mark.parametrize("card", [DEPTH, NORMALS, MARIGOLD, LCM, JOINT])
def test_what_is_not_asked_is_what_the_card_recommends(card):
    how = inference.resolve(card, steps=None, noise=None, domain=None)
    for name in ("resolution", "steps", "ensemble", "spacing", "noise", "last", "domain"):
        assert getattr(how, name) == getattr(card, name)
    assert (how.fit, how.seed) == ("pad", 0)
    default = {"depth": "pairwise", "normals": "closest", "geometry": "pairwise,closest"}
    assert how.merge == default[card.task]
    assert ("domain" in how.as_dict()) == (card is JOINT)


def test_what_is_asked_comes_first():
    asked = dict(
        resolution=0,
        fit="reference",
        steps=10,
        ensemble=5,
        spacing="leading",
        noise="pyramid",
        last="clean",
        merge="joint",
        seed=7,
    )
    how = inference.resolve(MARIGOLD, **asked)
    assert {name: getattr(how, name) for name in asked} == asked


@pytest.mark.parametrize(
    ("card", "asked", "words"),
    [
        (DEPTH, {"fit": "crop"}, "choose pad, reference"),
        (DEPTH, {"noise": "pink"}, "choose zeros, gaussian, pyramid"),
        (DEPTH, {"last": "first"}, "choose clean, previous"),
        (DEPTH, {"merge": "closest", "ensemble": 2}, "choose pairwise, joint"),
        (NORMALS, {"merge": "joint", "ensemble": 2}, "choose closest, mean, closest-map"),
        (DEPTH, {"steps": 0}, "from 1 up"),
        (DEPTH, {"steps": 1.5}, "whole number"),
        (DEPTH, {"ensemble": True}, "whole number"),
        (DEPTH, {"resolution": -1}, "from 0 up"),
        (DEPTH, {"seed": -1}, "from 0 up"),
        (DEPTH, {"seed": 2**70}, "whole number"),
        (DEPTH, {"merge": "joint"}, "nothing to merge"),
        (DEPTH, {"spacing": "lcm"}, "no consistency model"),
        (LCM, {"spacing": "trailing"}, "is a consistency model"),
        (JOINT, {"domain": "sea"}, "domain 'sea': choose indoor, outdoor, object"),
        (
            DEPTH,
            {"domain": "indoor"},
            "domain 'indoor': this model is not told where a picture was taken",
        ),
        (JOINT, {"merge": "median", "ensemble": 2}, "pairwise, joint, closest, mean, closest-map"),
        (JOINT, {"merge": "joint,pairwise", "ensemble": 2}, "one for depth and one for normals"),
        (JOINT, {"merge": "joint,", "ensemble": 2}, "with a comma between"),
        (NORMALS, {"merge": "mean,mean", "ensemble": 2}, "choose closest, mean, closest-map$"),
    ],
)
def test_what_does_not_exist_is_refused_in_one_line(card, asked, words):
    with pytest.raises(SettingError, match=words) as caught:
        inference.resolve(card, **asked)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("asked", [{"steps": 1001}, {"spacing": "other"}])
def test_timesteps_that_do_not_exist_are_refused(asked):
    with pytest.raises(SettingError):
        _sampler(MARIGOLD, **asked)


@pytest.mark.parametrize("asked", [{"steps": 2}, {"noise": "gaussian"}])
def test_a_network_without_an_input_for_noise_takes_one_step_from_zeros(asked):
    how = inference.resolve(DEPTH, **asked)
    with pytest.raises(SettingError, match="no input for a noisy latent"):
        inference.sampler(SCHEDULE, how, sees_noise=False)
    plain = inference.resolve(DEPTH)
    assert inference.sampler(SCHEDULE, plain, sees_noise=False).times == (999,)


@pytest.mark.parametrize("card", [DEPTH, NORMALS, MARIGOLD, LCM])
def test_a_card_gives_no_caution_about_itself(card):
    assert _cautions(card) == []


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 7, 10, 30, 50, 64, 333, 600, 999])
def test_trailing_steps_are_told_what_they_get(steps):
    assert _cautions(MARIGOLD, steps=steps) == []


@pytest.mark.parametrize("steps", [1, 2, 4, 10, 20, 50])
def test_leading_steps_are_a_flaw_that_names_its_cure(steps):
    (line,) = _cautions(MARIGOLD, steps=steps, spacing="leading")
    assert line.startswith("m with leading spacing, step 1")
    assert line.endswith("use spacing trailing")


def test_two_linspace_steps_are_told_too_much_at_the_second():
    (line,) = _cautions(MARIGOLD, steps=2, spacing="linspace")
    assert "step 2 of 2" in line


@pytest.mark.parametrize("asked", [{"steps": 4}, {"noise": "gaussian"}])
def test_a_one_step_model_run_otherwise_is_a_mistake_that_is_said(asked):
    assert any("fine-tuned for 1 trailing step" in line for line in _cautions(DEPTH, **asked))


def test_an_ensemble_of_equals_is_a_waste_that_is_said():
    assert any("all members are equal" in line for line in _cautions(DEPTH, ensemble=3))
    assert _cautions(MARIGOLD, ensemble=3) == []


@pytest.mark.parametrize(
    ("fit", "depth", "normals"),
    [("pad", "pairwise", "closest"), ("reference", "joint", "closest-map")],
)
def test_each_fit_goes_with_the_ensembles_of_its_own_code(fit, depth, normals):
    assert inference.resolve(DEPTH, fit=fit).merge == depth
    assert inference.resolve(NORMALS, fit=fit).merge == normals
    joint = inference.resolve(JOINT, fit=fit)
    assert (joint.merge_of("depth"), joint.merge_of("normals")) == (depth, normals)


@pytest.mark.parametrize(
    ("asked", "depth", "normals"),
    [
        ("joint", "joint", "closest"),
        ("mean", "pairwise", "mean"),
        ("joint,mean", "joint", "mean"),
        ("closest-map, joint", "joint", "closest-map"),
    ],
)
def test_one_name_serves_the_map_that_it_belongs_to(asked, depth, normals):
    how = inference.resolve(JOINT, merge=asked, ensemble=2)
    assert (how.merge_of("depth"), how.merge_of("normals")) == (depth, normals)
    again = inference.resolve(JOINT, **how.as_dict())
    assert again == how


def test_each_map_has_its_own_part_of_the_settings():
    how = inference.resolve(JOINT, ensemble=2, merge="mean")
    assert [how.of_map(kind).merge for kind in JOINT.maps] == ["pairwise", "mean"]
    assert how.of_map("depth").domain == how.domain
    plain = inference.resolve(DEPTH)
    assert plain.of_map("depth") == plain


def test_how_to_merge_is_asked_of_a_map_that_is_given():
    inference.check_merge(None, JOINT, ["depth"])
    inference.check_merge("joint, mean", JOINT, ["depth", "normals"])
    inference.check_merge("joint", JOINT, ["depth"])
    inference.check_merge("mean", NORMALS, ["normals"])
    message = "merge 'mean': is of normals, and only depth is asked for; choose pairwise, joint$"
    for asked in ("mean", "joint, mean"):
        with pytest.raises(SettingError, match=message):
            inference.check_merge(asked, JOINT, ["depth"])
