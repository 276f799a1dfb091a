import torch

from monostep.benchmark.evaluation_work import FAR_M, OURS, PROGRAMS, REFERENCE, scene


def test_the_scene_has_holes_and_a_prediction_that_is_wrong_but_not_much():
    made = scene((128, 192))
    assert made.predicted.shape == made.truth_m.shape == made.valid.shape == (128, 192)
    assert 0.3 < made.valid.float().mean() < 0.9
    inside = made.truth_m[made.valid]
    assert inside.min() > 0 and inside.max() <= FAR_M and inside.std() > 0.1
    assert len(made.predicted[made.valid].unique()) > 0.9 * len(inside), "noise in every pixel"
    scores = PROGRAMS[OURS].scores(PROGRAMS[OURS].align(made), made.truth_m, made.valid)
    assert 0.01 < scores["abs_rel"] < 0.2


def test_it_is_the_same_every_time():
    one, other = scene((64, 96)), scene((64, 96))
    assert torch.equal(one.predicted, other.predicted) and torch.equal(one.valid, other.valid)


def test_both_ways_make_the_same_map():
    made = scene((64, 96))
    ours, theirs = (PROGRAMS[name].align(made) for name in (OURS, REFERENCE))
    torch.testing.assert_close(ours[made.valid], theirs[made.valid], rtol=1e-4, atol=0)
