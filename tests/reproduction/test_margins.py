from monostep.reproduction.margins import MARGINS


def test_every_margin_limits_something_and_its_limits_are_in_order():
    for name, margin in MARGINS.items():
        limits = [limit for limit in (margin.least, margin.most) if limit is not None]
        assert limits, name
        assert all(limit > 0 for limit in limits), name
        assert limits == sorted(limits), name
