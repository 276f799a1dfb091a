from monostep.reproduction.trials import ENSEMBLES, LCM, ONCE, ONES, sampled


def test_names_of_ways_differ_and_options_say_what_is_asked():
    names = [way.name for way in (*ONES, *ENSEMBLES, *LCM, ONCE)]
    assert len(set(names)) == len(names)
    assert (
        sampled("leading", 50, 10).options
        == "--spacing leading --steps 50 --last clean --ensemble 10"
    )
    assert ONCE.options == ""
