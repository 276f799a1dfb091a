"""That the tests' own way of checking types checks."""

import checked_once
import jaxtyping
import pytest
import torch
from beartype.roar import BeartypeCallHintViolation

from monostep import recipes
from monostep.data.procedural import camera


def _of(annotation, default=""):
    """A function of one argument, made as jaxtyping makes what it has checked."""
    scope = {"annotation": annotation}
    exec(f"def function(x: annotation{default}):\n    return x", scope)
    return scope["function"]


def test_shapes_in_signatures_are_checked():
    assert camera.intrinsics(torch.ones(2), (3, 4)).shape == (2, 3, 3)
    with pytest.raises(jaxtyping.TypeCheckError, match="focal"):
        camera.intrinsics(torch.ones(2, 1), (3, 4))


def test_what_names_no_array_is_left_as_it_is():
    assert hasattr(camera.intrinsics, "__wrapped__")
    assert not hasattr(recipes.recipe, "__wrapped__")


def test_a_function_that_is_defined_again_keeps_its_checks():
    first, again = checked_once.check(_of(int)), checked_once.check(_of(int))
    assert again is first
    with pytest.raises(BeartypeCallHintViolation):
        again("1")


def test_another_signature_has_its_own():
    checked_once.check(_of(int))
    other = checked_once.check(_of(str))
    assert other("1") == "1"
    with pytest.raises(BeartypeCallHintViolation):
        other(1)
    assert checked_once.check(_of(int, "=3"))() == 3  # the one that needs an argument is another


def test_whole_numbers_count_as_real_ones():
    assert checked_once.check(_of(float))(1) == 1
