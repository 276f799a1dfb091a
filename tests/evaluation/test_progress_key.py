import json

import pytest

from monostep.evaluation.progress_key import difference

KEY = {
    "data": {"count": 9, "crop": [1, 2]},
    "model": {"settings": {"inference": {"steps": 1, "seed": 0}}},
    "state": "a" * 64,
}


def _with(**changes):
    return {**KEY, **changes}


def _said(old, new):
    return difference(json.dumps(old, sort_keys=True), new)


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (_with(data={**KEY["data"], "only_first": 5}), "other data (images: 5 now, all before)"),
        (_with(data={"count": 9}), "other data (crop: not set now, [1, 2] before)"),
        (
            _with(model={"settings": {"inference": {"steps": 4, "seed": 0}}}, version=2),
            "other model, other version (steps: 4 now, 1 before)",
        ),
        (_with(data="b"), "other data (data: b now, not set before)"),
        (_with(state="b" * 64), f"(state: {'b' * 40}... now, {'a' * 40}... before)"),
    ],
)
def test_the_first_value_that_differs_is_named(new, words):
    assert words in _said(KEY, new)
    assert "\n" not in _said(KEY, new)


def test_the_other_way_round_now_and_before_change_places():
    more = _with(data={**KEY["data"], "only_first": 5})
    assert "images: all now, 5 before" in _said(more, KEY)


@pytest.mark.parametrize("head", ["", "[]", "{", "7", "nothing"])
def test_what_is_no_key_is_damaged(head):
    assert difference(head, KEY) == "is damaged"
