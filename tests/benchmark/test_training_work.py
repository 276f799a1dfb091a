import numpy as np

from monostep.benchmark.cases import Case, pictures
from monostep.benchmark.training_work import FAR_M, work


def test_images_are_those_of_the_other_benchmark_each_with_its_own_depth():
    case = Case(size=(32, 48), batch=3)
    made = work(case)
    np.testing.assert_array_equal(made.image, pictures(case).numpy())
    assert made.depth_m.shape == made.valid.shape == (3, 32, 48)
    first = np.roll(made.depth_m[2], -2 * 29, axis=-1)
    np.testing.assert_array_equal(first, made.depth_m[0])
    assert made.valid.mean() > 0.5 and made.depth_m[made.valid].min() > 0


def test_what_is_far_is_left_out():
    made = work(Case(size=(32, 48)))
    assert made.depth_m[made.valid].max() <= FAR_M
    assert made.depth_m[made.valid].std() > 0.1, "a plane would prove nothing"
