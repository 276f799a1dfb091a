"""An evaluation of a toy, as a program that can be killed: OUT PAUSE WORKERS."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from toy_benchmark import Oracle, Toy

from monostep.evaluation import progress, run
from monostep.evaluation.entrants import Entrants


@dataclass(kw_only=True)
class Slow(Toy):
    pause: float = 0.0

    def load(self, index, *, image=True):
        time.sleep(self.pause)
        return super().load(index, image=image)


def judge(out, *, pause=0.0, workers=0):
    """Two models on 24 images, three of which have a problem; angles are pooled."""
    toy = Slow(images=24, pooled=True, broken=(3,), empty=(7,), pause=pause)
    models = [Oracle(toy, task, noise=0.1, fails=(9,)) for task in ("depth", "normals")]
    how = run.How(output=out, baselines=True, workers=workers)
    return run.run(toy, Entrants(models=models, batch_size=3), how)


if __name__ == "__main__":
    progress.SAVE_AFTER = 4
    judge(Path(sys.argv[1]), pause=float(sys.argv[2]), workers=int(sys.argv[3]))
