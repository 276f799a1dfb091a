"""A program that reads one image ahead of many and then does nothing: its workers must wait."""

import sys
import time

from toy_benchmark import Toy

from monostep.evaluation import workers
from monostep.evaluation.prepare import Preparation, Seat


def read():
    """Images larger than a pipe holds, so that the workers cannot even pass on what they have."""
    toy = Toy(images=20, size=(200, 300))
    preparation = Preparation(
        benchmark=toy,
        seats={0: Seat(rules=toy.rules["depth"], stored=None)},
        baselines=None,
        wanted=dict.fromkeys(range(toy.images), (0,)),
    )
    ahead = workers.ahead(preparation, 2)
    next(ahead)
    sys.stdout.write("reading\n")
    sys.stdout.flush()
    time.sleep(60)


if __name__ == "__main__":
    read()
